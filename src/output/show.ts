/** The switch as a tree: bridge → port → VM NIC. Pure. */
import { FORMAT_VERSION } from '../units/formatversion.ts';
import { renderRate } from '../units/bitrate.ts';
import { toPrintable } from '../units/printable.ts';
import { renderVlans } from '../units/vlan.ts';
import { paint, type Paint } from './paint.ts';

export interface ShownSwitch {
  readonly remote: string;
  readonly ovsVersion: string | undefined;
  readonly bridges: readonly ShownBridge[];
}

export interface ShownBridge {
  readonly name: string;
  readonly datapath: string;
  readonly datapathId: string | undefined;
  /** The topology that owns it. */
  readonly owner: string | undefined;
  readonly error: string | undefined;
  /** `undefined` where it has just gone. */
  readonly visibility: ShownVisibility | undefined;
  /** Without the bridge's own port. */
  readonly ports: readonly ShownPort[];
}

/** What can be counted on a bridge, and why not more. */
export interface ShownVisibility {
  /** `pairs`: who sends to whom; `ports`: each port; `foreign`: its flows are not ours to change. */
  readonly mode: 'pairs' | 'ports' | 'foreign';
  readonly reason: string;
  /** How many flows of others come before ours; what they forward is not counted in pairs. `undefined`: not looked at. */
  readonly foreignFlows: number | undefined;
  /** How many of our rules are missing. `undefined`: not looked at. */
  readonly missingRules: number | undefined;
  /** Why its flows could not be looked at. */
  readonly error: string | undefined;
}

export interface ShownPort {
  readonly name: string;
  readonly owner: string | undefined;
  /** The VM's name, or the id that another tool gave it. */
  readonly vm: string | undefined;
  readonly nic: string | undefined;
  readonly network: string | undefined;
  readonly mac: string | undefined;
  readonly vlanMode: string | undefined;
  readonly tag: number | undefined;
  readonly trunks: readonly number[];
  readonly ofport: string | undefined;
  readonly link: string | undefined;
  /** Caps seen from the VM: kbit/s it may send, bit/s it may receive. */
  readonly sentLimitKbps: string | undefined;
  readonly receivedLimitBps: string | undefined;
  readonly error: string | undefined;
}

/** The tree as text. */
export function renderShow(shown: ShownSwitch, options: { readonly colour: boolean }): string {
  const draw = paint(options.colour);
  if (shown.bridges.length === 0) return `no bridges at ${toPrintable(shown.remote)}\n`;
  const lines: string[] = [];
  for (const bridge of shown.bridges) {
    const owner = bridge.owner === undefined ? '' : draw('dim', ` (${toPrintable(bridge.owner)})`);
    const name = draw('bold', toPrintable(bridge.name));
    const visibility = visibilityText(bridge.visibility, draw);
    lines.push(`${name} ${toPrintable(bridge.datapath)}${owner}${visibility}${problem(bridge.error, draw)}`);
    lines.push(...portLines(bridge.ports, draw));
  }
  return `${lines.join('\n')}\n`;
}

/** The tree as data; what is not known is left out. */
export function toShowDocument(shown: ShownSwitch): Readonly<Record<string, unknown>> {
  return { formatVersion: FORMAT_VERSION, ...shown };
}

function visibilityText(visibility: ShownVisibility | undefined, draw: Paint): string {
  if (!visibility) return '';
  const { mode, reason, foreignFlows = 0, missingRules = 0, error } = visibility;
  if (mode !== 'pairs') return `  ${mode}: ${toPrintable(reason)}`;
  const notes = [
    ...(foreignFlows > 0
      ? [
          foreignFlows === 1
            ? '1 flow of others comes first'
            : `${String(foreignFlows)} flows of others come first`,
        ]
      : []),
    ...(missingRules > 0
      ? [
          draw(
            'yellow',
            `${missingRules === 1 ? '1 rule is' : `${String(missingRules)} rules are`} missing: run vsb apply`,
          ),
        ]
      : []),
  ];
  return `  pairs${notes.length > 0 ? `: ${notes.join(', ')}` : ''}${problem(error, draw)}`;
}

function portLines(ports: readonly ShownPort[], draw: Paint): string[] {
  const rows = ports.map((port) =>
    [
      port.name,
      port.vm === undefined ? '-' : port.nic === undefined ? port.vm : `${port.vm}:${port.nic}`,
      port.network ?? '-',
      vlanText(port),
      port.mac ?? '-',
      port.link ?? 'unknown',
      limitText(port),
    ].map(toPrintable),
  );
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return ports.map((port, index) => {
    const branch = index === ports.length - 1 ? '└─' : '├─';
    const cells = (rows[index] ?? []).map((cell, column) => cell.padEnd(widths[column] ?? 0));
    const owner = port.owner === undefined ? draw('dim', ' not ours') : '';
    return `${branch} ${cells.join('  ').trimEnd()}${owner}${problem(port.error, draw)}`;
  });
}

function vlanText(port: ShownPort): string {
  const trunks = renderVlans(port.trunks);
  switch (port.vlanMode) {
    case 'access':
      return `access ${String(port.tag ?? 0)}`;
    case 'trunk':
      return `trunk ${trunks || 'all'}`;
    case undefined:
      return port.tag === undefined ? `trunk ${trunks || 'all'}` : `access ${String(port.tag)}`;
    default:
      return `${port.vlanMode} ${String(port.tag ?? 0)}, trunk ${trunks || 'all'}`;
  }
}

function limitText(port: ShownPort): string {
  const sent =
    port.sentLimitKbps === undefined ? [] : [`sent ≤${renderRate(Number(port.sentLimitKbps) * 1000)}bit/s`];
  const received =
    port.receivedLimitBps === undefined
      ? []
      : [`received ≤${renderRate(Number(port.receivedLimitBps))}bit/s`];
  return [...sent, ...received].join(', ');
}

function problem(error: string | undefined, draw: Paint): string {
  return error === undefined ? '' : `  ${draw('red', `error: ${toPrintable(error)}`)}`;
}
