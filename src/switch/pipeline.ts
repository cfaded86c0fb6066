/**
 * The accounting pipeline of a bridge as rules in the language of ovs-ofctl. A function of the database alone, so that
 * whoever sees a bridge of ours knows its rules. Pure. What the tables do is in docs/visibility.md.
 */
import {
  ACCOUNTING_TABLES,
  addressCookie,
  END_CLASS_IDS,
  learnedCookie,
  RECIRCULATE_GROUP,
  restCookie,
  ruleCookie,
} from '../openflow/accounting.ts';
import { vmOf } from '../units/externalids.ts';
import { toMac } from '../units/mac.ts';
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

/** A pair's row leaves after so long without a packet, in seconds: longer than the pauses of most protocols. */
const IDLE_S = 300;
/** Pairs of one source: enough for a host's VMs, and a bound for who sends to addresses at random. */
const PAIRS_OF_SOURCE = 1024;

/** The group as ovs-ofctl takes it. A group that selects by datapath hash makes Open vSwitch recirculate. */
export const RECIRCULATE_GROUP_TEXT =
  `group_id=${String(RECIRCULATE_GROUP)},type=select,selection_method=dp_hash,` +
  `bucket=bucket_id:0,actions=resubmit(,${String(ACCOUNTING_TABLES.account)})`;

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

/** Every rule of a bridge, the same ones in the same order for the same rows; no two with the same match. */
export function pipelineRules(bridge: PipelineBridge): PipelineRule[] {
  const members = toMembers(bridge);
  const classes = [END_CLASS_IDS.uplink, END_CLASS_IDS.host, END_CLASS_IDS.unknown];
  const sources = new Set([...members.map(({ id }) => id), ...classes]);
  return [
    ...members.flatMap(classifyRules),
    rule(`table=0,priority=1,actions=${enter(END_CLASS_IDS.unknown, vlanSource(undefined).actions)}`),
    ...destinationRules(members),
    ...[...sources].flatMap(accountRules),
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
 * The first packet of a pair makes the switch learn the pair's row, and is then looked at anew (the group), so that it
 * is counted there as well. What cannot be learned is counted by the rest row, and nothing is counted by two.
 */
function accountRules(source: number): PipelineRule[] {
  const table = String(ACCOUNTING_TABLES.account);
  const learn = [
    `table=${table}`,
    'priority=100',
    `cookie=${String(learnedCookie(source))}`,
    `limit=${String(PAIRS_OF_SOURCE)}`,
    `idle_timeout=${String(IDLE_S)}`,
    'send_flow_rem',
    'NXM_NX_REG0[]',
    'NXM_NX_REG1[]',
  ].join(',');
  const reg0 = `reg0=${String(source)}`;
  return [
    rule(
      `table=${table},priority=1,${reg0},reg2=0,` +
        `actions=set_field:1->reg2,learn(${learn}),group:${String(RECIRCULATE_GROUP)}`,
    ),
    { cookie: restCookie(source), text: `table=${table},priority=2,${reg0},reg2=1,actions=drop` },
  ];
}

function rule(text: string): PipelineRule {
  return { cookie: ruleCookie(text), text };
}
