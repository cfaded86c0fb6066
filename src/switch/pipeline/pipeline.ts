/**
 * The accounting pipeline of a bridge as rules in the language of ovs-ofctl. A function of the database alone, so that
 * whoever sees a bridge of ours knows its rules. Pure. What the tables do is in docs/visibility.md.
 */
import {
  ACCOUNTING_TABLES,
  addressCookie,
  END_CLASS_IDS,
  pairCookie,
  restCookie,
  ruleCookie,
} from '../../openflow/accounting.ts';
import { vmOf } from '../../units/externalids.ts';
import { toMac } from '../../units/mac.ts';
import type { PipelineBridge, PipelinePort } from './pipelinebridge.ts';
import { renderVlanMatch, toVlanMatches, vlanSource } from './pipelinevlan.ts';

export interface PipelineRule {
  /** Tells the rule from all others. */
  readonly cookie: bigint;
  /** Table, priority, match and actions as ovs-ofctl(8) takes them, without the cookie. */
  readonly text: string;
}

/** The highest priority of ours in table 0: rules of others that are to come first are above it. */
export const HIGHEST_CLASSIFY_PRIORITY = 3;

/**
 * So many rows of pairs are written ahead, those of some 95 NICs on a bridge: as many as can be read each second at little
 * cost, and written in a fifth of one. On a bridge with more, each is learned when it is needed.
 */
const PAIRS_AHEAD = 10_000;
/** A learned row leaves after so long without a packet, in seconds: longer than the pauses of most protocols. */
const IDLE_S = 300;
/** Learned rows of one source: a bound, as each takes time to read. */
const LEARNED_OF_SOURCE = 1024;

/** What a port of the bridge is, in the pairs. */
type PortKind = 'nic' | 'host' | 'uplink' | 'unknown';

/** A port that has, or will have, an OpenFlow port number. */
interface Member {
  readonly port: PipelinePort;
  readonly ofport: number;
  readonly kind: PortKind;
  /** In reg0 where it sends, in reg1 where it is sent to. */
  readonly id: number;
}

/** The rules of a bridge, the same ones in the same order for the same rows; no two with the same match. */
export interface Pipeline {
  /** Told apart by their cookies. */
  readonly rules: readonly PipelineRule[];
  /** Ids of all ends, `flood` included. */
  readonly ids: ReadonlySet<number>;
  /** Pairs of ids whose rows are written ahead: all of them, or none where they are too many. */
  readonly pairs: readonly (readonly [source: number, destination: number])[];
}

export function toPipeline(bridge: PipelineBridge): Pipeline {
  const members = toMembers(bridge);
  const classes = [END_CLASS_IDS.uplink, END_CLASS_IDS.host, END_CLASS_IDS.unknown];
  const sources = new Set([...members.map(({ id }) => id), ...classes]);
  const ids = new Set([...sources, END_CLASS_IDS.flood]);
  return {
    rules: pipelineRules(members, sources),
    ids,
    pairs:
      sources.size * ids.size > PAIRS_AHEAD
        ? []
        : [...sources].flatMap((source) => [...ids].map((id) => [source, id] as const)),
  };
}

/** The row of a pair: it counts, and no more. Its last counts are told when it is removed. */
export function pairRule([source, destination]: readonly [number, number]): PipelineRule {
  const match = `reg0=${String(source)},reg1=${String(destination)}`;
  return {
    cookie: pairCookie(source),
    text: `table=${String(ACCOUNTING_TABLES.account)},priority=100,send_flow_rem,${match},actions=drop`,
  };
}

function pipelineRules(members: readonly Member[], sources: Iterable<number>): PipelineRule[] {
  return [
    ...members.flatMap(classifyRules),
    rule(`table=0,priority=1,actions=${enter(END_CLASS_IDS.unknown, vlanSource(undefined).actions)}`),
    ...destinationRules(members),
    ...[...sources].map(restRule),
    rule(`table=${String(ACCOUNTING_TABLES.forward)},priority=1,actions=NORMAL`),
  ];
}

/** Who has a number already goes before who only asks for it. */
function toMembers({ name, ports }: PipelineBridge): Member[] {
  const members = new Map<number, Member>();
  for (const isAttached of [true, false]) {
    for (const port of ports) {
      if (port.isAttached !== isAttached || port.ofport === undefined) continue;
      if (members.has(port.ofport)) continue;
      const kind = kindOf(port, name);
      const id = kind === 'nic' ? port.ofport : END_CLASS_IDS[kind];
      members.set(port.ofport, { port, ofport: port.ofport, kind, id });
    }
  }
  return [...members.values()].sort((a, b) => a.ofport - b.ofport);
}

function kindOf({ name, type, driver, externalIds }: PipelinePort, bridge: string): PortKind {
  if (vmOf(externalIds) !== undefined) return 'nic';
  if (name === bridge || type === 'internal') return 'host';
  // A tap, or a socket of a VM, that nobody has put a name to.
  if (driver === 'tun' || type.startsWith('dpdkvhostuser')) return 'unknown';
  return 'uplink';
}

function classifyRules({ port, ofport, id }: Member): PipelineRule[] {
  const from = vlanSource(port);
  const inPort = `table=${String(ACCOUNTING_TABLES.classify)},in_port=${String(ofport)}`;
  return [
    rule(`${inPort},priority=2,actions=${enter(id, from.actions)}`),
    ...(from.untagged === undefined
      ? []
      : [rule(`${inPort},priority=3,vlan_tci=0/0xfff,actions=${enter(id, from.untagged)}`)]),
  ];
}

function enter(id: number, vlanActions: string): string {
  return `set_field:${String(id)}->reg0,${vlanActions},resubmit(,${String(ACCOUNTING_TABLES.destination)})`;
}

/** Exact address and VLAN first, then addresses that pass in every VLAN, then groups of stations, then who is left. */
function destinationRules(members: readonly Member[]): PipelineRule[] {
  const rules = new Map<string, PipelineRule>();
  // Of two ports with the same address in the same VLAN one counts: the first by number, a NIC before the host.
  for (const member of [...members].sort((a, b) => Number(b.kind === 'nic') - Number(a.kind === 'nic'))) {
    const mac = addressOf(member);
    if (mac === undefined) continue;
    const toCookie = member.kind === 'nic' ? ruleCookie : addressCookie;
    for (const vlan of toVlanMatches(member.port)) {
      const match = `priority=${vlan === undefined ? '90' : '100'},${renderVlanMatch(vlan)}dl_dst=${mac}`;
      if (rules.has(match)) continue;
      const text = destination(match, member.id);
      rules.set(match, { cookie: toCookie(text), text });
    }
  }
  const beyond = members.some(({ kind }) => kind === 'uplink') ? 'uplink' : 'unknown';
  return [
    ...rules.values(),
    rule(destination('priority=80,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00', END_CLASS_IDS.flood)),
    rule(destination('priority=1', END_CLASS_IDS[beyond])),
  ];
}

/** The address that frames to the port bear; `undefined` where it has none of its own. */
function addressOf({ port, kind }: Member): string | undefined {
  if (kind === 'nic') return toMac(port.externalIds.get('attached-mac') ?? '');
  return kind === 'host' ? toMac(port.macInUse ?? '') : undefined;
}

function destination(match: string, id: number): string {
  const { destination: table, account, forward } = ACCOUNTING_TABLES;
  return (
    `table=${String(table)},${match},` +
    `actions=set_field:${String(id)}->reg1,resubmit(,${String(account)}),resubmit(,${String(forward)})`
  );
}

/**
 * What no pair's row counts: it makes the switch learn that row, and counts the packets until it is there. They are counted
 * here alone, whatever Open vSwitch does meanwhile, as a packet meets one row of this table. (To send the first packet
 * through the table again would have it in its pair, and some of those that follow it in there twice.)
 */
function restRule(source: number): PipelineRule {
  const table = String(ACCOUNTING_TABLES.account);
  const learn = [
    `table=${table}`,
    'priority=100',
    `cookie=${String(pairCookie(source))}`,
    `limit=${String(LEARNED_OF_SOURCE)}`,
    `idle_timeout=${String(IDLE_S)}`,
    'send_flow_rem',
    'NXM_NX_REG0[]',
    'NXM_NX_REG1[]',
  ].join(',');
  return {
    cookie: restCookie(source),
    text: `table=${table},priority=1,send_flow_rem,reg0=${String(source)},actions=learn(${learn})`,
  };
}

function rule(text: string): PipelineRule {
  return { cookie: ruleCookie(text), text };
}
