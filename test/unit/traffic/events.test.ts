import { expect } from 'chai';
import { from, lastValueFrom, toArray } from 'rxjs';
import { fail } from '../../../src/errors.ts';
import type { AttributedReading, PortRow } from '../../../src/traffic/attribute.ts';
import { toEvents } from '../../../src/traffic/events.ts';
import { NOT_MEASURED } from '../../../src/traffic/figures.ts';
import { switchPort } from './samples.ts';

const ERROR = fail('OPENFLOW_CLOSED', { path: '/x/br0.mgmt', what: 'test' });

describe('events', () => {
  it('tell of VMs that come and leave, and of nothing at first', async () => {
    expect(await kinds([row(1)], [row(1), row(2, 'db1')], [row(2, 'db1')])).to.deep.equal([
      ['vm-appeared', 'db1'],
      ['vm-left', 'web1'],
    ]);
  });

  it('tell of links, where the switch says', async () => {
    const events = await kinds(
      [row(1)],
      [row(1, 'web1', { isLinkUp: true })],
      [row(1, 'web1', { isLinkUp: false })],
      [row(1, 'web1', { isLinkUp: true })],
    );
    expect(events).to.deep.equal([
      ['link-down', 'p1'],
      ['link-up', 'p1'],
    ]);
  });

  it('tell of packets that were lost, each once', async () => {
    const events = await eventsOf([
      reading([row(1, 'web1', { hostLossPackets: 3n })]),
      reading([row(1, 'web1', { hostLossPackets: 3n })]),
      reading([row(1, 'web1', { hostLossPackets: 10n })]),
      reading([row(1)]),
    ]);
    expect(events).to.have.length(1);
    expect(events[0]).to.deep.include({ kind: 'loss', packets: 7n, bridge: 'br0', port: 'p1' });
  });

  it('tell of lost packets once, also where the bridge was not read for a while', async () => {
    const events = await eventsOf([
      reading([row(1, 'web1', { hostLossPackets: 0n })]),
      reading([row(1, 'web1', { hostLossPackets: 5n })]),
      reading([row(1)]),
      reading([row(1)]),
      reading([row(1, 'web1', { hostLossPackets: 7n })]),
    ]);
    expect(events.map((event) => 'packets' in event && event.packets)).to.deep.equal([5n, 2n]);
  });

  it('tell of bridges that cannot be read, and can be again', async () => {
    const lost = { ...reading([]), losses: [{ bridge: 'br0', error: ERROR }] };
    const events = await eventsOf([reading([]), lost, lost, reading([])]);
    expect(events.map(({ kind }) => kind)).to.deep.equal(['bridge-lost', 'bridge-back']);
  });
});

async function kinds(...readings: PortRow[][]): Promise<[string, string][]> {
  return (await eventsOf(readings.map((rows) => reading(rows)))).map((event) => [
    event.kind,
    'vm' in event ? event.vm : 'port' in event ? event.port : event.bridge,
  ]);
}

function eventsOf(readings: readonly AttributedReading[]) {
  return lastValueFrom(from(readings).pipe(toEvents(), toArray()));
}

function reading(rows: PortRow[]): AttributedReading {
  return { at: new Date(0), bridges: ['br0'], rows, pairs: [], losses: [] };
}

function row(n: number, vm = 'web1', changes: Partial<PortRow> = {}): PortRow {
  return { ...switchPort(n, { vm }), ...NOT_MEASURED, ...changes };
}
