import { expect } from 'chai';
import type { Pair } from '../../../../src/traffic/pairs/pair.ts';
import {
  PairLedger,
  REST,
  type AccountRow,
  type LeftRow,
  type NameOf,
} from '../../../../src/traffic/pairs/pairledger.ts';

/** Ports 1 and 2 are web1:0 and db1:0. */
const NAMES: NameOf = (id) =>
  id === 1 ? nic('web1') : id === 2 ? nic('db1') : id === 0x10001 ? 'uplink' : undefined;

describe('a ledger of pairs', () => {
  it('gives totals at once and rates from the second reading on', () => {
    const ledger = newLedger();
    ledger.take(at(1000, [row(1, 2, 10)]));
    expect(shown(ledger, 1000)).to.deep.equal([
      {
        from: 'web1',
        to: 'db1',
        packets: 10n,
        bytes: 1000n,
        pps: undefined,
        bps: undefined,
        quality: 'exact',
      },
    ]);
    ledger.take(at(3000, [row(1, 2, 30)]));
    expect(shown(ledger, 3000)).to.deep.include.members([
      { from: 'web1', to: 'db1', packets: 30n, bytes: 3000n, pps: 10, bps: 8000, quality: 'exact' },
    ]);
  });

  it('knows the rate of a pair that is new since the reading before, and of no older one', () => {
    const ledger = newLedger();
    ledger.take(at(1000, []));
    ledger.take(at(2000, [row(1, 2, 5, 900), row(2, 1, 5, 5000)]));
    expect(shown(ledger, 2000).map(({ from, pps }) => [from, pps])).to.deep.equal([
      ['web1', 5],
      ['db1', undefined],
    ]);
  });

  it('gives no spike where we were held up with an answer, by the age of the rows', () => {
    const ledger = newLedger();
    ledger.take(at(6000, [row(1, 2, 10, 10_000)]));
    ledger.take(at(6001, [row(1, 2, 5010, 15_000)]));
    expect(shown(ledger, 6001)[0]).to.deep.include({ packets: 5010n, pps: 1000, quality: 'exact' });
  });

  it('leaves out pairs that never sent, as rest rows at first', () => {
    const ledger = newLedger();
    ledger.take(at(1000, [row(1, REST, 0)]));
    expect(shown(ledger, 1000)).to.deep.equal([]);
    ledger.take(at(2000, [row(1, REST, 3)]));
    expect(shown(ledger, 2000)).to.deep.include.members([
      { from: 'web1', to: 'unknown', packets: 3n, bytes: 300n, pps: 3, bps: 2400, quality: 'exact' },
    ]);
  });

  it('adds up what a source sent, also to nobody in particular', () => {
    const ledger = newLedger();
    ledger.take(at(1000, [row(1, REST, 3), row(1, 2, 4), row(1, 0x10001, 5)]));
    expect(ledger.sources()).to.have.length(1);
    expect(ledger.sources()[0]).to.deep.include({ packets: 12n, bytes: 1200n, isSettled: true });
  });

  describe('where a row', () => {
    const before = row(1, 2, 10, 60_000);
    const cases: readonly {
      readonly what: string;
      readonly session?: number;
      readonly rows: readonly AccountRow[];
      readonly left?: readonly LeftRow[];
      readonly packets: bigint;
      readonly pps: number | undefined;
      readonly quality: Pair['quality'];
    }[] = [
      { what: 'goes on', rows: [row(1, 2, 14, 61_000)], packets: 14n, pps: 4, quality: 'exact' },
      {
        what: 'leaves with its last counts',
        rows: [],
        left: [left(1, 2, 12, 61_000)],
        packets: 12n,
        pps: 2,
        quality: 'exact',
      },
      { what: 'leaves without a word', rows: [], packets: 10n, pps: undefined, quality: 'at-least' },
      {
        what: 'is deleted, with the last half second missing in its last counts',
        rows: [],
        left: [{ ...left(1, 2, 12, 61_000), isWhole: false }],
        packets: 12n,
        pps: 2,
        quality: 'at-least',
      },
      {
        what: 'leaves with its last counts and comes back',
        rows: [row(1, 2, 3, 200)],
        left: [left(1, 2, 12, 61_000)],
        packets: 15n,
        pps: 5,
        quality: 'exact',
      },
      {
        what: 'counts less than before',
        rows: [row(1, 2, 4, 61_000)],
        packets: 14n,
        pps: undefined,
        quality: 'at-least',
      },
      {
        what: 'is written again with its counts',
        rows: [row(1, 2, 40, 900)],
        packets: 40n,
        pps: 30,
        quality: 'exact',
      },
      {
        what: 'came and left unread beside it',
        rows: [],
        left: [left(1, 2, 12, 61_000), left(1, 2, 5, 300)],
        packets: 17n,
        pps: undefined,
        quality: 'exact',
      },
      {
        what: 'goes on in a new session',
        session: 2,
        rows: [row(1, 2, 14, 61_000)],
        packets: 14n,
        pps: undefined,
        quality: 'exact',
      },
      {
        what: 'is gone in a new session',
        session: 2,
        rows: [],
        packets: 10n,
        pps: undefined,
        quality: 'at-least',
      },
      {
        what: 'is another in a new session, by its counts',
        session: 2,
        rows: [row(1, 2, 2, 61_000)],
        packets: 12n,
        pps: undefined,
        quality: 'at-least',
      },
      {
        what: 'may be another in a new session',
        session: 2,
        rows: [row(1, 2, 14, 60_500)],
        packets: 14n,
        pps: undefined,
        quality: 'at-least',
      },
    ];
    for (const { what, session = 1, rows, left = [], ...expected } of cases) {
      it(what, () => {
        const ledger = newLedger();
        ledger.take(at(9000, [before]));
        ledger.take({ ...at(10_000, rows, left), session });
        const [pair] = shown(ledger, 10_000);
        expect(pair).to.deep.include(expected);
      });
    }

    it('is another in a new session after a long time, by its age', () => {
      const ledger = newLedger();
      ledger.take(at(0, [row(1, 2, 10, 5000)]));
      ledger.take({ ...at(600_000, [row(1, 2, 14, 240_000)]), session: 2 });
      expect(shown(ledger, 600_000)[0]).to.deep.include({ packets: 24n, quality: 'at-least' });
    });

    for (const last of [12, 60]) {
      it(`is another one with more counts, as is told later (${String(last)})`, () => {
        const ledger = newLedger();
        ledger.take(at(9000, [before]));
        ledger.take(at(10_000, [row(1, 2, 40, 900)]));
        ledger.take(at(11_000, [row(1, 2, 41, 1900)], [left(1, 2, last, 62_000)]));
        expect(shown(ledger, 11_000)[0]).to.deep.include({ packets: BigInt(last + 41), pps: undefined });
      });
    }

    it('is another in a new session, by an age that went back', () => {
      const ledger = newLedger();
      ledger.take(at(9000, [before]));
      ledger.take({ ...at(10_000, [row(1, 2, 14, 900)]), session: 2 });
      expect(shown(ledger, 10_000)[0]).to.deep.include({ packets: 24n, quality: 'at-least' });
    });

    it('leaves before its last counts come, which then count, without a rate', () => {
      const ledger = newLedger();
      ledger.take(at(9000, [before]));
      ledger.take(at(10_000, [row(1, 2, 3, 200)]));
      expect(shown(ledger, 10_000)[0]).to.deep.include({ packets: 13n, quality: 'at-least' });
      ledger.take(at(11_000, [row(1, 2, 4, 1200)], [left(1, 2, 12, 62_000)]));
      expect(shown(ledger, 11_000)[0]).to.deep.include({ packets: 16n, pps: undefined, quality: 'exact' });
    });
  });

  it('shows an idle pair for a while after its row left, with a rate of 0, and then no more', () => {
    const ledger = newLedger();
    ledger.take(at(0, [row(1, REST, 0), row(1, 2, 10)]));
    ledger.take(at(1000, [row(1, REST, 0)], [left(1, 2, 10, 11_000)]));
    ledger.take(at(2000, [row(1, REST, 0)]));
    expect(shown(ledger, 2000)[0]).to.deep.include({ packets: 10n, pps: 0, quality: 'exact' });
    ledger.take(at(62_000, [row(1, REST, 0)]));
    expect(shown(ledger, 62_000)).to.deep.equal([]);
    expect(ledger.sources()[0], 'the sum of the source stays').to.deep.include({ packets: 10n });
  });

  it('forgets a source that has no rows any more', () => {
    const ledger = newLedger();
    ledger.take(at(0, [row(1, REST, 0), row(1, 2, 10)]));
    ledger.take(at(1000, [], [left(1, 2, 10, 11_000), left(1, REST, 0, 11_000)]));
    ledger.take(at(99_000, []));
    expect(ledger.sources()).to.deep.equal([]);
  });

  it('gives totals without rates, and their age, where the bridge is not read', () => {
    const ledger = newLedger();
    ledger.take(at(0, [row(1, 2, 10)]));
    ledger.take(at(1000, [row(1, 2, 20)]));
    expect(ledger.pairs(1400, false)[0]).to.deep.include({
      packets: 20n,
      packetsPerSecond: undefined,
      ageMs: 400,
    });
  });

  it('goes on with the same total where a NIC comes back under another number', () => {
    const ledger = newLedger();
    ledger.take(at(0, [row(1, 2, 10)]));
    ledger.rename((id) => (id === 3 ? nic('web1') : id === 2 ? nic('db1') : undefined));
    ledger.take(at(1000, [row(3, 2, 4, 500)], [left(1, 2, 11, 11_000)]));
    expect(shown(ledger, 1000)).to.have.length(1);
    expect(shown(ledger, 1000)[0]).to.deep.include({ from: 'web1', packets: 15n, pps: 5, quality: 'exact' });
  });

  it('starts another total where a number means another NIC, which the one before keeps its own of', () => {
    const ledger = newLedger();
    ledger.take(at(0, [row(1, 2, 10)]));
    ledger.rename((id) => (id === 1 ? nic('web2') : NAMES(id)));
    ledger.take(at(1000, [row(1, 2, 12, 11_000)]));
    expect(shown(ledger, 1000).map(({ from, packets }) => [from, packets])).to.deep.equal([
      ['web1', 10n],
      ['web2', 2n],
    ]);
  });

  it('keeps the name of who left for its last counts', () => {
    const ledger = newLedger();
    ledger.take(at(0, [row(1, 2, 10)]));
    ledger.rename(() => undefined);
    ledger.take(at(1000, [row(1, 2, 12, 11_000)]));
    ledger.take(at(2000, [], [left(1, 2, 13, 11_500)]));
    expect(shown(ledger, 2000)[0]).to.deep.include({ from: 'web1', to: 'db1', packets: 13n });
  });

  it('of rows that the switch learned are too few: the first packets are of the rest', () => {
    const ledger = new PairLedger('br0', (id) => nic(`vm${String(id)}`));
    ledger.take(at(0, []));
    ledger.take(at(1000, [{ ...row(1, 2, 19, 500), isLearned: true }, row(1, REST, 1, 900)]));
    const qualities = new Map(shown(ledger, 1000).map(({ to, quality }) => [JSON.stringify(to), quality]));
    expect([...qualities.values()].sort()).to.deep.equal(['at-least', 'exact']);
    ledger.take(at(2000, [row(1, REST, 1, 1900)], [{ ...left(1, 2, 25, 1200), isLearned: true }]));
    const [pair] = shown(ledger, 2000).filter(({ packets }) => packets === 25n);
    expect(pair?.quality).to.equal('at-least');
  });
});

function newLedger(): PairLedger {
  return new PairLedger('br0', NAMES);
}

function nic(vm: string) {
  return { vm, nic: '0', topology: 'lab', network: 'web' };
}

function at(atMs: number, rows: readonly AccountRow[], left: readonly LeftRow[] = []) {
  return { session: 1, atMs, rows, left: left.map((one) => ({ ...one, atMs })) };
}

/** A row of packets of 100 bytes. */
function row(source: number, destination: number, packets: number, durationMs = 10_000): AccountRow {
  return { source, destination, packets: BigInt(packets), bytes: BigInt(packets * 100), durationMs };
}

function left(...args: Parameters<typeof row>): LeftRow {
  return { ...row(...args), atMs: 0, isWhole: true };
}

function shown(ledger: PairLedger, nowMs: number) {
  return ledger
    .pairs(nowMs, true)
    .map(({ from, to, packets, bytes, packetsPerSecond, bitsPerSecond, quality }) => ({
      from: typeof from === 'string' ? from : from.vm,
      to: typeof to === 'string' ? to : to.vm,
      packets,
      bytes,
      pps: packetsPerSecond,
      bps: bitsPerSecond,
      quality,
    }));
}
