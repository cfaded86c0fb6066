/** VLANs in the accounting pipeline: reg3 has the VLAN in which Open vSwitch's NORMAL will forward a frame. Pure. */

/** The columns of a Port that say what it does with VLANs (ovs-vswitchd.conf.db(5), "Port TABLE", VLAN Configuration). */
export interface PortVlans {
  readonly tag: number | undefined;
  readonly trunks: readonly number[];
  readonly vlanMode: string | undefined;
}

/** Bits of a VLAN id. */
const VLAN_BITS = 12;
const FROM_FRAME = 'move:NXM_OF_VLAN_TCI[0..11]->NXM_NX_REG3[0..11]';

/**
 * How reg3 comes by the VLAN of a frame from a port, as actions: of any frame, and of one without a VLAN id of its own
 * where that differs. No port: the frame's own.
 */
export function vlanSource(port: PortVlans | undefined): {
  readonly actions: string;
  readonly untagged: string | undefined;
} {
  const ofPort = `set_field:${String(port?.tag ?? 0)}->reg3`;
  switch (port === undefined ? 'trunk' : vlanModeOf(port)) {
    case 'access':
    case 'dot1q-tunnel':
      return { actions: ofPort, untagged: undefined };
    case 'native-tagged':
    case 'native-untagged':
      return { actions: FROM_FRAME, untagged: ofPort };
    default:
      return { actions: FROM_FRAME, untagged: undefined };
  }
}

/** A VLAN id of which some upper bits count. */
export interface VlanMatch {
  readonly vlan: number;
  /** How many of the 12 bits, from the left. */
  readonly bits: number;
}

/** The VLANs whose frames leave through a port, in as few matches as it takes; `undefined` in the list: any VLAN. */
export function toVlanMatches(port: PortVlans): readonly (VlanMatch | undefined)[] {
  switch (vlanModeOf(port)) {
    case 'access':
    case 'dot1q-tunnel':
      return [{ vlan: port.tag ?? 0, bits: VLAN_BITS }];
    case 'native-tagged':
    case 'native-untagged':
      return port.trunks.length === 0 ? [undefined] : cover([...port.trunks, port.tag ?? 0]);
    default:
      return port.trunks.length === 0 ? [undefined] : cover(port.trunks);
  }
}

/** As ovs-ofctl takes it, with a comma behind; empty for any VLAN. */
export function renderVlanMatch(match: VlanMatch | undefined): string {
  if (match === undefined) return '';
  const mask = 0xffff_ffff - (2 ** (VLAN_BITS - match.bits) - 1);
  return `reg3=${String(match.vlan)}${match.bits === VLAN_BITS ? '' : `/0x${mask.toString(16)}`},`;
}

/** Open vSwitch's own default: a tag alone makes an access port, no tag a trunk. */
function vlanModeOf({ vlanMode, tag }: PortVlans): string {
  return vlanMode ?? (tag === undefined ? 'trunk' : 'access');
}

/** The fewest prefixes that hold exactly these ids: halves that are full become one. */
function cover(vlans: readonly number[]): VlanMatch[] {
  const ids = [...new Set(vlans)].sort((a, b) => a - b);
  return coverFrom(0, 0, ids);
}

function coverFrom(vlan: number, bits: number, ids: readonly number[]): VlanMatch[] {
  const size = 2 ** (VLAN_BITS - bits);
  if (ids.length === 0) return [];
  if (ids.length === size) return [{ vlan, bits }];
  const middle = vlan + size / 2;
  return [
    ...coverFrom(
      vlan,
      bits + 1,
      ids.filter((id) => id < middle),
    ),
    ...coverFrom(
      middle,
      bits + 1,
      ids.filter((id) => id >= middle),
    ),
  ];
}
