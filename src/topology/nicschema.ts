/**
 * What a topology file may say about a NIC, also in a profile. Only what can be told from one value alone; what does not
 * fit together is checknic.ts's.
 */
import { z } from 'zod';
import { deviceName, ipAddress, mac, pciAddress, rate, vlan } from './values.ts';

/** Where neither the NIC nor its profile says. */
export const NIC_DEFAULTS = Object.freeze({
  model: 'virtio',
  backend: { kind: 'tap' },
  macvtapMode: 'bridge',
  queues: 1,
} as const);

/** QEMU's bounds (virtio-net's `rx_queue_size` and `tx_queue_size`); powers of two. */
const RING_SIZES = [256, 512, 1024] as const;

/** Linux has room for 256 queues on a tap (MAX_TAP_QUEUES in drivers/net/tap.c). */
const MAX_QUEUES = 256;

/** Least that IPv4 asks for (RFC 791), and most that a tap takes (ETH_MAX_MTU). */
const [MIN_MTU, MAX_MTU] = [68, 65_521];

const KINDS = ['tap', 'vhost-net', 'vhost-user'] as const;
const MACVTAP_MODES = ['bridge', 'vepa', 'private', 'passthru'] as const;

const backendOfDevice = z
  .strictObject({
    macvtap: deviceName
      .optional()
      .describe('A device of the host, on which the NIC gets an address of its own.'),
    mode: z
      .enum(MACVTAP_MODES)
      .optional()
      .meta({ description: 'How the macvtaps of one device reach each other. Default: bridge.' }),
    passthrough: pciAddress
      .optional()
      .describe('The PCI function that the guest gets for itself, such as "0000:03:00.1".'),
  })
  .transform(({ macvtap, mode, passthrough }, context) => {
    if (macvtap !== undefined && passthrough === undefined) {
      return { kind: 'macvtap', device: macvtap, mode: mode ?? NIC_DEFAULTS.macvtapMode } as const;
    }
    if (passthrough !== undefined && macvtap === undefined && mode === undefined) {
      return { kind: 'passthrough', address: passthrough } as const;
    }
    context.addIssue({ code: 'custom', message: 'BACKEND_INVALID' });
    return z.NEVER;
  });

const backend = z
  // The mapping comes first: of a union, decode.ts reports the first branch that has the value's type.
  .union([backendOfDevice, z.enum(KINDS).transform((kind) => ({ kind }) as const)])
  .optional()
  .meta({
    default: NIC_DEFAULTS.backend.kind,
    description:
      'How QEMU reaches the switch: tap, vhost-net, vhost-user, { macvtap: DEVICE, mode } or { passthrough: PCI }.',
  });

const ringSize = z.literal(RING_SIZES);

const ring = z
  .strictObject({
    rx: ringSize.optional().describe('Frames to the guest: 256, 512 or 1024. Default: that of QEMU, 256.'),
    tx: ringSize.optional().describe('Frames from the guest; above 256 with vhost-user only. Default: 256.'),
  })
  .describe('Descriptors in the rings of each queue, virtio only.');

const offloads = z
  .strictObject({
    csum: z.boolean().optional().describe('Checksums left to the host. Default: true.'),
    tso: z.boolean().optional().describe('TCP segments up to 64 kB, cut by the host. Default: true.'),
    ufo: z.boolean().optional().describe('The same for UDP. Default: true.'),
  })
  .describe('What the guest may leave to the host, virtio only; less of it is slower.');

const limit = z
  .strictObject({
    sent: rate.optional().describe('Cap on what the VM sends, bit/s: 500M, 1.5G. Default: none.'),
    received: rate.optional().describe('Cap on what the VM receives, bit/s: 500M, 1.5G. Default: none.'),
  })
  .describe('Caps on rates in bit/s (decimal prefixes), as seen from the VM.');

const settings = {
  model: z
    .enum(['virtio', 'e1000', 'rtl8139'])
    .optional()
    .meta({ default: NIC_DEFAULTS.model, description: 'The NIC that the guest sees.' }),
  backend,
  queues: z.int().min(1).max(MAX_QUEUES).optional().meta({
    default: NIC_DEFAULTS.queues,
    description: 'Pairs of queues, virtio only; one for each CPU at most.',
  }),
  ring: ring.optional(),
  offloads: offloads.optional(),
  mtu: z
    .int()
    .min(MIN_MTU)
    .max(MAX_MTU)
    .optional()
    .describe('Largest packet in bytes, without the Ethernet header. Default: left as it is, 1500.'),
  vlan: vlan.optional(),
  limit: limit.optional(),
};

export const profile = z
  .strictObject(settings)
  .describe('NIC settings to use again; what the NIC says itself comes first.');

export const nic = z
  .strictObject({
    network: z.string().describe('What it plugs into: a name under "networks".'),
    profile: z
      .string()
      .optional()
      .describe('Settings to start from: a name under "profiles". Default: none.'),
    ...settings,
    mac: mac
      .optional()
      .describe('Ethernet address. Default: derived from topology, VM and place in the list; stable.'),
    ip: ipAddress
      .optional()
      .describe('IP address without prefix. Default: a free one of the network, derived likewise; stable.'),
    vlan: vlan
      .optional()
      .describe('A VLAN id (access), or { trunk, … }. Default: access to the network’s VLAN.'),
    adopt: z
      .boolean()
      .default(false)
      .describe('true: take the port over where something else has put it on the bridge.'),
  })
  .describe('A NIC. Its device is named VM-PLACE, such as web1-0, shortened to 15 bytes with a hash.');

/** The objects inside a NIC or profile, by the key that they stand under. */
export const NIC_OBJECTS = { backend: backendOfDevice.in, ring, offloads, limit };
