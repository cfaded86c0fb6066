/** What Open vSwitch sent (test/fixtures/openflow), as messages, and everything in them read. */
import { readdirSync, readFileSync } from 'node:fs';
import { renderActions } from '../../src/openflow/actions.ts';
import { aggregateStats } from '../../src/openflow/aggregatestats.ts';
import { decodeMessage, type Message } from '../../src/openflow/codec.ts';
import { SWITCH_DESCRIPTION } from '../../src/openflow/description.ts';
import { flowStats } from '../../src/openflow/flowstatistic.ts';
import { MessageSplitter } from '../../src/openflow/framing.ts';
import { GROUP_FEATURES, GROUP_STATS, GROUPS } from '../../src/openflow/groups.ts';
import { renderInstructions } from '../../src/openflow/instructions.ts';
import { renderMatch } from '../../src/openflow/match.ts';
import { METER_FEATURES, METER_STATS, METERS } from '../../src/openflow/meters.ts';
import type { Statistic } from '../../src/openflow/multipart.ts';
import { PORT_DESCRIPTIONS } from '../../src/openflow/portdescription.ts';
import { PORT_STATS } from '../../src/openflow/portstats.ts';
import { QUEUE_STATS } from '../../src/openflow/queuestats.ts';
import { TABLE_STATS } from '../../src/openflow/tablestats.ts';
import { OPENFLOW_13, OPENFLOW_14, OPENFLOW_15, type WireVersion } from '../../src/openflow/wire.ts';

const FIXTURES = new URL('../fixtures/openflow/', import.meta.url);

/** Rules and groups are read to the last action, so that what is decoded late is decoded. */
const STATISTICS: readonly Statistic<unknown>[] = [
  reading(flowStats({}), (flow) => ({
    ...flow,
    counters: [flow.cookie, flow.packets, flow.bytes, flow.durationMs, flow.register(0), flow.register(15)],
    rest: [flow.tableId, flow.priority, flow.idleTimeoutS, flow.hardTimeoutS, flow.flags],
    match: renderMatch(flow.match),
    actions: renderInstructions(flow.instructions),
  })),
  reading(GROUPS, (group) => ({ ...group, actions: group.buckets.map(renderActions) })),
  ...[aggregateStats({}), TABLE_STATS, QUEUE_STATS, GROUP_STATS, GROUP_FEATURES],
  ...[METER_STATS, METERS, METER_FEATURES, SWITCH_DESCRIPTION, PORT_STATS, PORT_DESCRIPTIONS],
];

export function fixtureNames(): string[] {
  return readdirSync(FIXTURES).filter((name) => name.endsWith('.bin'));
}

export function fixture(name: string): Buffer {
  return readFileSync(new URL(name, FIXTURES));
}

/** The bytes of its last message: what the fixture is there for. */
export function lastBytes(name: string): Buffer {
  const bytes = [...new MessageSplitter().push(fixture(name))].at(-1);
  if (!bytes) throw new Error(`${name} has no message`);
  return bytes;
}

/** The version that was agreed on: 1.3, where the name says no other. */
export function versionOf(name: string): WireVersion {
  if (name.endsWith('-1.4.bin')) return OPENFLOW_14;
  return name.endsWith('-1.5.bin') ? OPENFLOW_15 : OPENFLOW_13;
}

/** Every entry of a statistic's fixture. */
export function entriesOf<Entry>(name: string, statistic: Statistic<Entry>): readonly Entry[] {
  const version = versionOf(name);
  const message = decodeMessage(lastBytes(name), version);
  if (message.type !== 'multipart-reply') throw new Error(`${name} ends in ${message.type}`);
  return statistic.decode(message.body, version);
}

/** A message with all that can be read from it; a statistic that nobody asks for stays bytes. */
export function readWhole(bytes: Buffer, version: WireVersion): { message: Message; entries: unknown } {
  const message = decodeMessage(bytes, version);
  if (message.type === 'flow-removed')
    return { message, entries: [message.register(1), renderMatch(message.match)] };
  if (message.type !== 'multipart-reply') return { message, entries: undefined };
  const statistic = STATISTICS.find(({ multipartType }) => multipartType === message.multipartType);
  return { message, entries: statistic?.decode(message.body, version) };
}

function reading<Entry>(statistic: Statistic<Entry>, read: (entry: Entry) => unknown): Statistic<unknown> {
  return { ...statistic, decode: (body, version) => statistic.decode(body, version).map(read) };
}
