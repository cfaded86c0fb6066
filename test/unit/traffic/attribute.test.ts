import { expect } from 'chai';
import { map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { fail } from '../../../src/errors.ts';
import { attribute } from '../../../src/traffic/attribute.ts';
import { ratesBetween } from '../../../src/traffic/rates.ts';
import type { RatedReading } from '../../../src/traffic/torates.ts';
import { sample, switchPort, uuid } from './samples.ts';

describe('attribute()', () => {
  it('turns rx into sent, and gives each port its VM and its age', () => {
    marbles(({ cold, expectObservable }) => {
      const before = sample({ counters: { rxBytes: 100n } });
      const after = sample({
        atMs: 1000,
        counters: { rxBytes: 225n, txBytes: 7n, rxDropped: 3n, txErrors: undefined },
      });
      const readings$ = cold('-a|', { a: reading(1005, ratesBetween(before, after)) });
      const bridges$ = cold('a', {
        a: [{ bridge: 'br0', wantsPairs: false, ports: [switchPort(1, { vm: 'db1', nic: '2' })] }],
      });
      const rows$ = readings$.pipe(
        attribute(bridges$),
        map(({ rows }) => rows),
        map(([row]) => [
          `${String(row?.owner?.vm)}:${String(row?.owner?.nic)}`,
          row?.sentBytes,
          row?.receivedBytes,
          row?.sentDropped,
          row?.receivedErrors,
          row?.sentBitsPerSecond,
          row?.ageMs,
        ]),
      );
      expectObservable(rows$).toBe('-a|', { a: ['db1:2', 225n, 7n, 3n, undefined, 1000, 5] });
    });
  });

  it('follows VMs that come, change their name and leave', () => {
    marbles(({ cold, expectObservable }) => {
      const rated = reading(0, ratesBetween(undefined, sample()));
      const readings$ = cold('-a-b-c-d|', { a: rated, b: rated, c: rated, d: rated });
      const bridges$ = cold('a-b-c-d', {
        a: [{ bridge: 'br0', wantsPairs: false, ports: [] }],
        b: [{ bridge: 'br0', wantsPairs: false, ports: [switchPort(1, { vm: 'one' })] }],
        c: [{ bridge: 'br0', wantsPairs: false, ports: [switchPort(1, { vm: 'two' })] }],
        d: [],
      });
      const names$ = readings$.pipe(
        attribute(bridges$),
        map(({ rows }) => rows.map((row) => row.owner?.vm)),
      );
      expectObservable(names$).toBe('-a-b-c-d|', { a: [], b: ['one'], c: ['two'], d: [] });
    });
  });

  it('tells of a bridge that was not read, unless it has left meanwhile', () => {
    marbles(({ cold, expectObservable }) => {
      const error = fail('OPENFLOW_UNREACHABLE', { path: '/run/br0.mgmt', why: 'no such socket' });
      const losses = [
        { bridge: 'br0', error },
        { bridge: 'br1', error },
      ];
      const bridges$ = cold('a', { a: [{ bridge: 'br1', wantsPairs: false, ports: [] }] });
      const lost$ = cold('-a|', { a: { ...reading(0), losses } }).pipe(
        attribute(bridges$),
        map((attributed) => attributed.losses.map(({ bridge }) => bridge)),
      );
      expectObservable(lost$).toBe('-a|', { a: ['br1'] });
    });
  });

  it('shows a port that the switch did not speak of, with nothing known', () => {
    marbles(({ cold, expectObservable }) => {
      const rated = reading(0, ratesBetween(undefined, sample({ interfaceUuid: uuid(9) })));
      const bridges$ = cold('a', { a: [{ bridge: 'br0', wantsPairs: false, ports: [switchPort(1)] }] });
      const rows$ = cold('-a|', { a: rated }).pipe(
        attribute(bridges$),
        map(({ rows }) =>
          rows.map(({ port, sentBytes, ageMs, discontinuity }) => [port, sentBytes, ageMs, discontinuity]),
        ),
      );
      expectObservable(rows$).toBe('-a|', { a: [['p1', undefined, undefined, undefined]] });
    });
  });
});

function reading(atMs: number, ...ports: RatedReading['ports']): RatedReading {
  return { at: new Date(atMs), atMs, ports, losses: [] };
}

function marbles(run: Parameters<TestScheduler['run']>[0]): void {
  new TestScheduler((actual, expected) => {
    expect(actual).to.deep.equal(expected);
  }).run(run);
}
