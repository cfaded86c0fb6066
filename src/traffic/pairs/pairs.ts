/**
 * From readings to pairs: a ledger for each bridge that is counted, names from the database at the time of the reading,
 * and what was lost between a NIC's device and the tables. What counts is pairledger.ts's.
 */
import { defer, map, withLatestFrom, type Observable, type OperatorFunction } from 'rxjs';
import { toEndClass } from '../../openflow/accounting.ts';
import type { Uuid } from '../../ovsdb/schema/schema.ts';
import { HostLoss } from './hostloss.ts';
import type { Pair } from './pair.ts';
import { PairLedger, type AccountReading, type NameOf } from './pairledger.ts';
import { endKey, type SourceTotal } from './pairtotals.ts';
import type { BridgeReading, Reading } from '../portsamples.ts';
import type { PortSample } from '../rates.ts';
import type { BridgePorts, SwitchPort } from '../switchports.ts';

/** What a reading counted, besides ports. */
export interface Counted {
  /** Of all bridges, in no order. */
  readonly pairs: readonly Pair[];
  /** Packets that were lost between a NIC's device and the tables, by Interface; absent where that is not known. */
  readonly hostLoss: ReadonlyMap<Uuid, bigint>;
}

export interface PairsOptions {
  /** True where no packet of a NIC passes the tables uncounted: nobody else has flows before ours on this bridge. */
  readonly countsAll: (bridge: string) => boolean;
  /** True where somebody else's flows are known to come before ours, so that packets may pass uncounted. */
  readonly isPassedBy: (bridge: string) => boolean;
}

/** Each subscription has ledgers of its own: totals begin with what the switch has counted by then. */
export function toPairs(
  bridges$: Observable<readonly BridgePorts[]>,
  options: PairsOptions,
): OperatorFunction<Reading, Counted> {
  return (readings$) =>
    defer(() => {
      const books = new Books(options);
      return readings$.pipe(
        withLatestFrom(bridges$),
        map(([reading, bridges]) => books.take(reading, bridges)),
      );
    });
}

interface Book {
  readonly ledger: PairLedger;
  /** Whose names it has. */
  ports: BridgePorts;
  readonly losses: Map<Uuid, HostLoss>;
  /** Packets may have passed uncounted at some time since counting began. */
  wasPassedBy: boolean;
}

class Books {
  readonly #options: PairsOptions;
  readonly #books = new Map<string, Book>();

  constructor(options: PairsOptions) {
    this.#options = options;
  }

  take({ bridges: readings, atMs }: Reading, bridges: readonly BridgePorts[]): Counted {
    const names = new Map(bridges.map((ports) => [ports.bridge, ports]));
    for (const bridge of this.#books.keys())
      if (names.get(bridge)?.wantsPairs !== true) this.#books.delete(bridge);
    const fresh = new Set<string>();
    const hostLoss = new Map<Uuid, bigint>();
    for (const reading of readings) {
      const ports = names.get(reading.bridge);
      if (ports?.wantsPairs !== true || reading.outcome === 'lost' || !reading.account) continue;
      fresh.add(reading.bridge);
      const book = this.#bookOf(ports);
      book.ledger.take(reading.account);
      this.#takeLosses(book, reading, reading.account, hostLoss);
    }
    const pairs = [...this.#books].flatMap(([bridge, book]) => {
      book.wasPassedBy ||= this.#options.isPassedBy(bridge);
      const known = book.ledger.pairs(atMs, fresh.has(bridge));
      return book.wasPassedBy ? known.map((pair) => ({ ...pair, quality: 'at-least' as const })) : known;
    });
    return { pairs, hostLoss };
  }

  #bookOf(ports: BridgePorts): Book {
    const known = this.#books.get(ports.bridge);
    if (known) {
      // A snapshot that changes nothing here still makes new lists; renaming what has its names already is cheap.
      if (known.ports !== ports) known.ledger.rename(namesOf(ports));
      known.ports = ports;
      return known;
    }
    const ledger = new PairLedger(ports.bridge, namesOf(ports));
    const book = { ledger, ports, losses: new Map(), wasPassedBy: false };
    this.#books.set(ports.bridge, book);
    return book;
  }

  #takeLosses(
    { ledger, ports, losses }: Book,
    { bridge, samples }: BridgeReading & { readonly outcome: 'read' },
    account: AccountReading,
    hostLoss: Map<Uuid, bigint>,
  ): void {
    if (samples.length === 0) return;
    if (!this.#options.countsAll(bridge)) {
      losses.clear();
      return;
    }
    const sources = new Map(ledger.sources().map((source) => [endKey(source.from), source]));
    const ownerOf = new Map(ports.ports.map(({ interfaceUuid, owner }) => [interfaceUuid, owner]));
    for (const uuid of losses.keys()) if (!ownerOf.has(uuid)) losses.delete(uuid);
    for (const sample of samples) {
      const owner = ownerOf.get(sample.interfaceUuid);
      const source = owner && sources.get(endKey(owner));
      const lost = source && takeLoss(losses, sample, account, source);
      if (lost !== undefined) hostLoss.set(sample.interfaceUuid, lost);
    }
  }
}

function takeLoss(
  losses: Map<Uuid, HostLoss>,
  { interfaceUuid, ofport, session, atMs, counters }: PortSample,
  account: AccountReading,
  { packets, isSettled, epoch }: SourceTotal,
): bigint | undefined {
  if (counters.rxPackets === undefined) return undefined;
  const loss = losses.get(interfaceUuid) ?? new HostLoss();
  losses.set(interfaceUuid, loss);
  return loss.take({
    atMs,
    receivedPackets: counters.rxPackets,
    forwardedPackets: packets,
    isSettled,
    epoch: [session, account.session, ofport, epoch].join(' '),
  });
}

/** A NIC's id is its OpenFlow port number. */
function namesOf({ ports }: BridgePorts): NameOf {
  const owners = new Map<number, SwitchPort['owner']>();
  for (const { ofport, owner } of ports) if (ofport !== undefined) owners.set(ofport, owner);
  return (id) => toEndClass(id) ?? owners.get(id);
}
