/**
 * The pictures of docs/nic-paths.md: each way of a packet as a chain of boxes, coloured by where it is handled.
 * `npx tsx scripts/draw-nic-paths.ts` writes them.
 */

/** Where a step is: who executes it. */
type Place = 'guest' | 'qemu' | 'kernel' | 'switch' | 'hardware';

interface Step {
  readonly place: Place;
  readonly title: string;
  readonly note: string;
  /** On the arrow that leads here: how the packet comes. */
  readonly by?: string;
}

const PLACES: Readonly<
  Record<Place, { readonly label: string; readonly fill: string; readonly stroke: string }>
> = {
  guest: { label: 'guest', fill: '#dbeafe', stroke: '#1d4ed8' },
  qemu: { label: 'QEMU', fill: '#ffedd5', stroke: '#c2410c' },
  kernel: { label: 'kernel', fill: '#dcfce7', stroke: '#15803d' },
  switch: { label: 'ovs-vswitchd', fill: '#f3e8ff', stroke: '#7e22ce' },
  hardware: { label: 'hardware', fill: '#e5e7eb', stroke: '#374151' },
};

const VIRTIO: Step = { place: 'guest', title: 'virtio-net', note: 'driver' };
const QEMU: Step = { place: 'qemu', title: 'virtio-net', note: 'copies frames', by: 'kick' };
const TAP: Step = { place: 'kernel', title: 'tap', note: 'web1-0', by: 'write' };
const OVS: Step = { place: 'switch', title: 'br0', note: 'netdev', by: 'socket' };
const NIC: Step = { place: 'hardware', title: 'eno1', note: 'uplink', by: 'send' };

const WAYS: Readonly<Record<string, readonly Step[]>> = {
  tap: [VIRTIO, QEMU, TAP, OVS, NIC],
  emulated: [
    { place: 'guest', title: 'e1000, rtl8139', note: 'driver' },
    { place: 'qemu', title: 'registers', note: 'emulated, frame by frame', by: 'exit' },
    TAP,
    OVS,
    NIC,
  ],
  'vhost-net': [
    VIRTIO,
    { place: 'kernel', title: 'vhost', note: 'thread of the VM', by: 'kick' },
    { ...TAP, by: 'copy' },
    { place: 'kernel', title: 'br0', note: 'system', by: 'in kernel' },
    NIC,
  ],
  'vhost-user': [
    VIRTIO,
    { place: 'switch', title: 'br0', note: 'DPDK, polls', by: 'shared memory' },
    { ...NIC, note: 'DPDK', by: 'DMA' },
  ],
  macvtap: [
    VIRTIO,
    QEMU,
    { place: 'kernel', title: 'macvtap', note: 'bridge mode', by: 'write' },
    { ...NIC, title: 'eno2', note: 'no switch' },
  ],
  passthrough: [
    { place: 'guest', title: "NIC's driver", note: 'of its maker' },
    { place: 'hardware', title: 'IOMMU', note: 'maps memory', by: 'DMA' },
    { ...NIC, title: '0000:03:00.1', note: 'PCI function', by: '' },
  ],
  'linux-bridge': [
    VIRTIO,
    QEMU,
    TAP,
    { place: 'kernel', title: 'lbr0', note: 'Linux bridge', by: 'in kernel' },
    NIC,
  ],
};

const BOX = { width: 128, height: 62, gap: 82, top: 12, left: 12 } as const;

/** SVG text by file name. */
export function nicPathPictures(): ReadonlyMap<string, string> {
  return new Map(Object.entries(WAYS).map(([name, steps]) => [`nic-path-${name}.svg`, draw(name, steps)]));
}

function draw(name: string, steps: readonly Step[]): string {
  const width = 2 * BOX.left + steps.length * BOX.width + (steps.length - 1) * BOX.gap;
  const height = 2 * BOX.top + BOX.height + 20;
  const title = `The way of a packet, ${name}: ${steps.map((step) => `${step.title} (${PLACES[step.place].label})`).join(', ')}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" height="${String(height)}" role="img">`,
    `<title>${escape(title)}</title>`,
    '<rect width="100%" height="100%" rx="6" fill="#ffffff"/>',
    `<g font-family="system-ui, 'DejaVu Sans', sans-serif" text-anchor="middle" fill="#111827">`,
    ...steps.flatMap((step, index) => [...(index === 0 ? [] : arrow(index, step)), ...box(index, step)]),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function box(index: number, { place, title, note }: Step): string[] {
  const x = BOX.left + index * (BOX.width + BOX.gap);
  const middle = String(x + BOX.width / 2);
  const { label, fill, stroke } = PLACES[place];
  return [
    `<rect x="${String(x)}" y="${String(BOX.top)}" width="${String(BOX.width)}" height="${String(BOX.height)}" rx="6" fill="${fill}" stroke="${stroke}"/>`,
    `<text x="${middle}" y="${String(BOX.top + 27)}" font-size="15" font-weight="600">${escape(title)}</text>`,
    `<text x="${middle}" y="${String(BOX.top + 47)}" font-size="11">${escape(note)}</text>`,
    `<text x="${middle}" y="${String(BOX.top + BOX.height + 18)}" font-size="12" fill="${stroke}">${escape(label)}</text>`,
  ];
}

function arrow(index: number, { by = '' }: Step): string[] {
  const end = BOX.left + index * (BOX.width + BOX.gap);
  const start = end - BOX.gap;
  const y = BOX.top + BOX.height / 2;
  return [
    `<path d="M${String(start + 4)} ${String(y)} H${String(end - 5)} m-7 -4 l7 4 l-7 4" fill="none" stroke="#374151" stroke-width="1.5"/>`,
    `<text x="${String((start + end) / 2)}" y="${String(y - 8)}" font-size="11">${escape(by)}</text>`,
  ];
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char] ?? char);
}
