/**
 * The fields of a packet that flows match and actions write, with their numbers in a message (ovs-fields(7); OpenFlow
 * 1.3.5 §7.2.3.7). Data only; match.ts reads messages with it.
 */

/** How people write a value. `port` is a port number of 32 bits, or the name of a reserved one; `frag` a word. */
export type FieldFormat = 'decimal' | 'hex' | 'port' | 'frag' | 'mac' | 'ipv4' | 'ipv6';

/** A field as a message names it. */
export interface Field {
  /** As ovs-fields(7) has it; `field(CLASS,NUMBER)` of one that is not known here. */
  readonly name: string;
  /** `oxm_class` and, shifted by 7 to the left, `oxm_field`: the upper 23 bits of the header. */
  readonly id: number;
  /** `undefined` but in class 0xffff, whose numbers belong to an experimenter. */
  readonly experimenter: number | undefined;
  readonly format: FieldFormat;
}

type Row = readonly [name: string, number: number, format: FieldFormat];

/** Class 0x8000, `OFPXMC_OPENFLOW_BASIC`. */
const BASIC: readonly Row[] = [
  ['in_port', 0, 'port'],
  ['metadata', 2, 'hex'],
  ['eth_dst', 3, 'mac'],
  ['eth_src', 4, 'mac'],
  ['eth_type', 5, 'hex'],
  // With the bit OFPVID_PRESENT, 0x1000.
  ['vlan_vid', 6, 'hex'],
  ['vlan_pcp', 7, 'decimal'],
  ['ip_dscp', 8, 'decimal'],
  ['nw_ecn', 9, 'decimal'],
  ['nw_proto', 10, 'decimal'],
  ['ip_src', 11, 'ipv4'],
  ['ip_dst', 12, 'ipv4'],
  ['tcp_src', 13, 'decimal'],
  ['tcp_dst', 14, 'decimal'],
  ['udp_src', 15, 'decimal'],
  ['udp_dst', 16, 'decimal'],
  ['sctp_src', 17, 'decimal'],
  ['sctp_dst', 18, 'decimal'],
  ['icmp_type', 19, 'decimal'],
  ['icmp_code', 20, 'decimal'],
  ['arp_op', 21, 'decimal'],
  ['arp_spa', 22, 'ipv4'],
  ['arp_tpa', 23, 'ipv4'],
  ['arp_sha', 24, 'mac'],
  ['arp_tha', 25, 'mac'],
  ['ipv6_src', 26, 'ipv6'],
  ['ipv6_dst', 27, 'ipv6'],
  ['ipv6_label', 28, 'hex'],
  ['icmpv6_type', 29, 'decimal'],
  ['icmpv6_code', 30, 'decimal'],
  ['nd_target', 31, 'ipv6'],
  ['nd_sll', 32, 'mac'],
  ['nd_tll', 33, 'mac'],
  ['mpls_label', 34, 'decimal'],
  ['mpls_tc', 35, 'decimal'],
  ['mpls_bos', 36, 'decimal'],
  ['tun_id', 38, 'hex'],
  ['tcp_flags', 42, 'hex'],
  ['actset_output', 43, 'port'],
  ['packet_type', 44, 'hex'],
];

/** Class 0x0000, of Open vSwitch from before OpenFlow 1.2. */
const NXM_0: readonly Row[] = [
  ['in_port', 0, 'decimal'],
  ['eth_dst', 1, 'mac'],
  ['eth_src', 2, 'mac'],
  ['eth_type', 3, 'hex'],
  ['vlan_tci', 4, 'hex'],
  ['nw_tos', 5, 'decimal'],
  ['nw_proto', 6, 'decimal'],
  ['ip_src', 7, 'ipv4'],
  ['ip_dst', 8, 'ipv4'],
  ['tcp_src', 9, 'decimal'],
  ['tcp_dst', 10, 'decimal'],
  ['udp_src', 11, 'decimal'],
  ['udp_dst', 12, 'decimal'],
  ['icmp_type', 13, 'decimal'],
  ['icmp_code', 14, 'decimal'],
  ['arp_op', 15, 'decimal'],
  ['arp_spa', 16, 'ipv4'],
  ['arp_tpa', 17, 'ipv4'],
];

/** Class 0x0001, of Open vSwitch. */
const NXM_1: readonly Row[] = [
  ...numbered('reg', 16, 0, 'hex'),
  ['tun_id', 16, 'hex'],
  ['arp_sha', 17, 'mac'],
  ['arp_tha', 18, 'mac'],
  ['ipv6_src', 19, 'ipv6'],
  ['ipv6_dst', 20, 'ipv6'],
  ['icmpv6_type', 21, 'decimal'],
  ['icmpv6_code', 22, 'decimal'],
  ['nd_target', 23, 'ipv6'],
  ['nd_sll', 24, 'mac'],
  ['nd_tll', 25, 'mac'],
  ['ip_frag', 26, 'frag'],
  ['ipv6_label', 27, 'hex'],
  ['nw_ecn', 28, 'decimal'],
  ['nw_ttl', 29, 'decimal'],
  ['mpls_ttl', 30, 'decimal'],
  ['tun_src', 31, 'ipv4'],
  ['tun_dst', 32, 'ipv4'],
  ['pkt_mark', 33, 'hex'],
  ['tcp_flags', 34, 'hex'],
  ['conj_id', 37, 'decimal'],
  ['tun_gbp_id', 38, 'decimal'],
  ['tun_gbp_flags', 39, 'hex'],
  ...numbered('tun_metadata', 64, 40, 'hex'),
  ['tun_flags', 104, 'hex'],
  ['ct_state', 105, 'hex'],
  ['ct_zone', 106, 'hex'],
  ['ct_mark', 107, 'hex'],
  ['ct_label', 108, 'hex'],
  ['tun_ipv6_src', 109, 'ipv6'],
  ['tun_ipv6_dst', 110, 'ipv6'],
  ...numbered('xxreg', 4, 111, 'hex'),
  ['ct_nw_proto', 119, 'decimal'],
  ['ct_nw_src', 120, 'ipv4'],
  ['ct_nw_dst', 121, 'ipv4'],
  ['ct_ipv6_src', 122, 'ipv6'],
  ['ct_ipv6_dst', 123, 'ipv6'],
  ['ct_tp_src', 124, 'decimal'],
  ['ct_tp_dst', 125, 'decimal'],
];

/** Class 0x8001, `OFPXMC_PACKET_REGS`. */
const PACKET_REGISTERS: readonly Row[] = numbered('xreg', 8, 0, 'hex');

/** The first of several fields with the same name is the one that is written in a question. */
const CLASSES: readonly (readonly [number, readonly Row[]])[] = [
  [0x8000, BASIC],
  [0x0001, NXM_1],
  [0x8001, PACKET_REGISTERS],
  [0x0000, NXM_0],
];

const EXPERIMENTER_CLASS = 0xffff;
/** By experimenter: Nicira (NXOXM_ET), the ONF (ONFOXM_ET), and Open vSwitch's NSH (NXOXM_NSH). */
const EXPERIMENTERS: readonly (readonly [number, readonly Row[]])[] = [
  [
    0x00002320,
    [
      ['tun_erspan_idx', 11, 'hex'],
      ['tun_erspan_ver', 12, 'decimal'],
      ['tun_erspan_dir', 13, 'decimal'],
      ['tun_erspan_hwid', 14, 'hex'],
      ['tun_gtpu_flags', 15, 'hex'],
      ['tun_gtpu_msgtype', 16, 'decimal'],
    ],
  ],
  [
    0x4f4e4600,
    [
      ['tcp_flags', 42, 'hex'],
      ['actset_output', 43, 'port'],
    ],
  ],
  [
    0x005ad650,
    [
      ['nsh_flags', 1, 'decimal'],
      ['nsh_mdtype', 2, 'decimal'],
      ['nsh_np', 3, 'decimal'],
      ['nsh_spi', 4, 'hex'],
      ['nsh_si', 5, 'decimal'],
      ...numberedFrom1('nsh_c', 4, 6, 'hex'),
      ['nsh_ttl', 10, 'decimal'],
    ],
  ],
];

const KNOWN: readonly Field[] = [
  ...CLASSES.flatMap(([fieldClass, rows]) => rows.map((row) => toField(fieldClass, undefined, row))),
  ...EXPERIMENTERS.flatMap(([experimenter, rows]) =>
    rows.map((row) => toField(EXPERIMENTER_CLASS, experimenter, row)),
  ),
];
const BY_ID = new Map(KNOWN.map((field) => [keyOf(field.id, field.experimenter), field]));
const BY_NAME = new Map(KNOWN.toReversed().map((field) => [field.name, field]));

/** The field with these numbers; one that is not known gets a name that says them. */
export function fieldOf(id: number, experimenter: number | undefined): Field {
  return (
    BY_ID.get(keyOf(id, experimenter)) ?? {
      name: `field(0x${(id >>> 7).toString(16)},${String(id & 0x7f)})`,
      id,
      experimenter,
      format: 'hex',
    }
  );
}

/** @returns the field with this name of ovs-fields(7), or `undefined` where it is not known here. */
export function fieldNamed(name: string): Field | undefined {
  return BY_NAME.get(name);
}

/** True for the fields of class 0xffff: an experimenter's id stands before their value. */
export function isExperimenterField(id: number): boolean {
  return id >>> 7 === EXPERIMENTER_CLASS;
}

function toField(fieldClass: number, experimenter: number | undefined, [name, number, format]: Row): Field {
  return { name, id: fieldClass * 128 + number, experimenter, format };
}

function keyOf(id: number, experimenter: number | undefined): number {
  return experimenter === undefined ? id : experimenter * 128 + (id & 0x7f) + 2 ** 40;
}

/** `prefix0` and so on, with numbers from `first` up. */
function numbered(prefix: string, count: number, first: number, format: FieldFormat): Row[] {
  return Array.from({ length: count }, (_, n) => [`${prefix}${String(n)}`, first + n, format]);
}

function numberedFrom1(prefix: string, count: number, first: number, format: FieldFormat): Row[] {
  return Array.from({ length: count }, (_, n) => [`${prefix}${String(n + 1)}`, first + n, format]);
}
