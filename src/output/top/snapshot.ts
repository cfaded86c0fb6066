/**
 * What `vsb top` shows, at one instant: rows with their trends. A snapshot is immutable, so a paused screen can still be
 * sorted and searched while new readings come in. Pure.
 */
import { Averages, type Trend } from '../../traffic/averages.ts';
import type { Conversation } from '../../traffic/conversations/conversations.ts';
import type { Pair, PairEnd } from '../../traffic/pairs/pair.ts';
import { endKey } from '../../traffic/pairs/pairtotals.ts';
import type { BridgeLoss } from '../../traffic/torates.ts';
import type { VmRow } from '../../traffic/views.ts';

/** One reading of all that top shows. */
export interface TopReading {
  /** Wall clock. */
  readonly at: Date;
  /** Monotonic clock, milliseconds. */
  readonly atMs: number;
  readonly bridges: readonly string[];
  readonly losses: readonly BridgeLoss[];
  readonly vms: readonly VmRow[];
  readonly pairs: readonly Pair[];
  /** `undefined` as long as nobody looks that deep. */
  readonly conversations: readonly Conversation[] | undefined;
  /** What a person has to know besides, each a sentence. */
  readonly notes: readonly string[];
}

export interface TopVm {
  readonly key: string;
  readonly row: VmRow;
  readonly sent: Trend;
  readonly received: Trend;
  /** Who it exchanges most with, over the shortest window. */
  readonly topPeer: string | undefined;
  /** Packets of the VM that were lost at its ports since the first reading; `undefined` where the switch counts none. */
  readonly lostPackets: bigint | undefined;
}

export interface TopPair {
  readonly key: string;
  readonly row: Pair;
  readonly rate: Trend;
}

export interface TopConversation {
  readonly key: string;
  readonly row: Conversation;
  readonly rate: Trend;
}

export interface TopSnapshot {
  readonly at: Date;
  readonly bridges: readonly string[];
  readonly losses: readonly BridgeLoss[];
  /** Of all VMs together. */
  readonly sent: Trend;
  readonly received: Trend;
  readonly vms: readonly TopVm[];
  readonly pairs: readonly TopPair[];
  readonly conversations: readonly TopConversation[] | undefined;
  readonly notes: readonly string[];
}

/** Makes a snapshot of each reading, in order; it remembers what averages and losses need. */
export class TopSnapshots {
  readonly #sent = new Averages();
  readonly #received = new Averages();
  readonly #pairs = new Averages();
  readonly #conversations = new Averages();
  #losses: ReadonlyMap<string, LossCount> = new Map();

  next(reading: TopReading): TopSnapshot {
    const { at, atMs, bridges, losses, conversations, notes } = reading;
    const vms = reading.vms.map((row) => ({ key: keyOfVm(row), row }));
    const pairs = reading.pairs.map((row) => ({ key: keyOfPair(row), row }));
    const known = conversations?.map((row) => ({ key: keyOfConversation(row), row }));
    this.#observeVms(atMs, vms);
    this.#pairs.observe(
      atMs,
      pairs.map(({ key, row }) => [key, row.bitsPerSecond]),
    );
    this.#conversations.observe(atMs, known?.map(({ key, row }) => [key, row.bitsPerSecond]) ?? []);
    const topPairs = pairs.map((pair) => ({ ...pair, rate: this.#pairs.trendOf(pair.key) }));
    const peers = findTopPeers(topPairs);
    return {
      at,
      bridges,
      losses,
      notes,
      sent: this.#sent.trendOf(ALL),
      received: this.#received.trendOf(ALL),
      vms: vms.map(({ key, row }) => ({
        key,
        row,
        sent: this.#sent.trendOf(key),
        received: this.#received.trendOf(key),
        topPeer: peers.get(key),
        lostPackets: lostSinceFirst(this.#losses.get(key)),
      })),
      pairs: topPairs,
      conversations: known?.map((one) => ({ ...one, rate: this.#conversations.trendOf(one.key) })),
    };
  }

  #observeVms(atMs: number, vms: readonly { readonly key: string; readonly row: VmRow }[]): void {
    const rates = (name: 'sentBitsPerSecond' | 'receivedBitsPerSecond'): [string, number | undefined][] => [
      [ALL, sumOfKnown(vms.map(({ row }) => row.total[name]))],
      ...vms.map(({ key, row }): [string, number | undefined] => [key, row.total[name]]),
    ];
    this.#sent.observe(atMs, rates('sentBitsPerSecond'));
    this.#received.observe(atMs, rates('receivedBitsPerSecond'));
    this.#losses = new Map(vms.map(({ key, row }) => [key, countLoss(this.#losses.get(key), row)]));
  }
}

/** No VM has it: a VM's key is JSON. */
const ALL = '';

/** The key of a VM: its name and topology. */
export function keyOfVm(vm: Pick<VmRow, 'vm' | 'topology'>): string {
  return remember(VM_KEYS, vm, () => JSON.stringify([vm.vm, vm.topology ?? null]));
}

/** True where both are the same NIC, or the same class of others. */
export function isSameEnd(a: PairEnd, b: PairEnd): boolean {
  return keyOfEnd(a) === keyOfEnd(b);
}

function keyOfPair({ bridge, from, to }: Pair): string {
  return `${bridge}\0${keyOfEnd(from)}\0${keyOfEnd(to)}`;
}

function keyOfConversation(row: Conversation): string {
  const { protocol, source, destination, sourcePort, destinationPort } = row;
  return [keyOfPair(row), protocol, source, destination, sourcePort, destinationPort].join('\0');
}

function keyOfEnd(end: PairEnd): string {
  if (typeof end === 'string') return end;
  return remember(END_KEYS, end, () => endKey(end));
}

// Where nobody was renamed, the ends of the next reading are the same objects.
const VM_KEYS = new WeakMap<object, string>();
const END_KEYS = new WeakMap<object, string>();

function remember(keys: WeakMap<object, string>, owner: object, make: () => string): string {
  const known = keys.get(owner);
  if (known !== undefined) return known;
  const key = make();
  keys.set(owner, key);
  return key;
}

/** For each VM's key, the end that it exchanges most with, both ways together. */
function findTopPeers(pairs: readonly TopPair[]): ReadonlyMap<string, string> {
  const rates = new Map<string, Map<string, number>>();
  const add = (one: PairEnd, other: PairEnd, rate: number): void => {
    if (typeof one === 'string') return;
    const key = keyOfVm(one);
    const peers = rates.get(key) ?? new Map<string, number>();
    const name = typeof other === 'string' ? other : other.vm;
    rates.set(key, peers.set(name, (peers.get(name) ?? 0) + rate));
  };
  for (const { row, rate } of pairs) {
    const now = rate.means[0] ?? 0;
    if (now === 0) continue;
    add(row.from, row.to, now);
    add(row.to, row.from, now);
  }
  return new Map(
    [...rates].flatMap(([key, peers]) => {
      const [top] = [...peers].sort((a, b) => b[1] - a[1]);
      return top === undefined ? [] : [[key, top[0]]];
    }),
  );
}

/** What is not known of one VM must not hide what is known of all others, here where nothing is called exact. */
function sumOfKnown(rates: readonly (number | undefined)[]): number | undefined {
  const known = rates.filter((rate) => rate !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, rate) => sum + rate, 0);
}

interface LossCount {
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
}

function countLoss(before: LossCount | undefined, row: VmRow): LossCount {
  const last = lossOf(row);
  const first = before?.first;
  // A count that went back began anew.
  return { first: first === undefined || (last !== undefined && last < first) ? last : first, last };
}

function lostSinceFirst(count: LossCount | undefined): bigint | undefined {
  return count?.first === undefined || count.last === undefined ? undefined : count.last - count.first;
}

/** Drops and losses that are known, sent and received together. */
function lossOf({ total }: VmRow): bigint | undefined {
  const known = [total.sentDropped, total.receivedDropped, total.hostLossPackets].filter(
    (packets) => packets !== undefined,
  );
  return known.length === 0 ? undefined : known.reduce((sum, packets) => sum + packets);
}
