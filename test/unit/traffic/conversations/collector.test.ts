import { expect } from 'chai';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { Collector, type CollectorCounts } from '../../../../src/traffic/conversations/collector.ts';
import {
  exportReader,
  type FlowReport,
  type ReadExport,
} from '../../../../src/traffic/conversations/collectorformats.ts';

const NONE = { datagrams: 0, reports: 0, malformed: 0, foreign: 0, lost: 0, restarts: 0 };

/** Gives a collector datagrams as if they had come in; `read` gets them as they are. */
async function collect(
  read: (datagram: Uint8Array) => ReadExport,
  datagrams: readonly Uint8Array[],
): Promise<{ readonly counts: CollectorCounts; readonly reports: readonly FlowReport[] }> {
  const socket = await bound();
  const reports: FlowReport[] = [];
  using collector = new Collector(socket, read, (some) => reports.push(...some));
  for (const datagram of datagrams) socket.emit('message', datagram);
  return { counts: collector.counts, reports };
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** NetFlow 5 as Open vSwitch sends it: the number is that of the last record. */
function netflow(sequence: number, records: number, domain = 0x0307): Uint8Array {
  const bytes = Buffer.alloc(24 + 48 * records);
  bytes.writeUInt16BE(5, 0);
  bytes.writeUInt16BE(records, 2);
  bytes.writeUInt32BE(sequence >>> 0, 16);
  bytes.writeUInt16BE(domain, 20);
  return bytes;
}

describe('traffic: collector', () => {
  const read = (): ReturnType<typeof exportReader> => exportReader('netflow', 0x0307);

  it('counts datagrams and reports, and nothing lost where the numbers follow each other', async () => {
    const { counts, reports } = await collect(read(), [netflow(29, 30), netflow(59, 30), netflow(60, 1)]);
    expect(counts).to.deep.equal({ ...NONE, datagrams: 3, reports: 61 });
    expect(reports).to.have.length(61);
  });

  it('counts the records of datagrams that did not come, over the end of 32 bits too', async () => {
    const gap = await collect(read(), [netflow(29, 30), netflow(99, 10)]);
    expect(gap.counts).to.deep.include({ lost: 60, restarts: 0 });
    const wrap = await collect(read(), [netflow(0xffff_ffff, 1), netflow(0, 1), netflow(11, 1)]);
    expect(wrap.counts).to.deep.include({ lost: 10, restarts: 0 });
  });

  it('takes numbers that begin anew for a restart', async () => {
    const { counts } = await collect(read(), [netflow(1000, 1), netflow(0, 1), netflow(1, 1)]);
    expect(counts).to.deep.include({ lost: 0, restarts: 1, reports: 3 });
  });

  it('uses nothing of garbage, and of others', async () => {
    const { counts, reports } = await collect(read(), [
      new Uint8Array(0),
      Buffer.from('GET / HTTP/1.0\r\n\r\n'),
      netflow(29, 30).subarray(0, 100),
      netflow(29, 30, 0x0308),
    ]);
    expect(counts).to.deep.equal({ ...NONE, datagrams: 4, malformed: 3, foreign: 1 });
    expect(reports).to.deep.equal([]);
  });

  it('closes its socket at its end', async () => {
    const socket = await bound();
    const closed = once(socket, 'close');
    new Collector(socket, read(), () => undefined)[Symbol.dispose]();
    await closed;
  });
});

describe('traffic: formats of exporters', () => {
  it('reads ICMP of NetFlow as type and code, and no ports of protocols without', () => {
    const datagram = Buffer.from(netflow(1, 2));
    datagram.writeUInt8(1, 24 + 38);
    datagram.writeUInt16BE(8 * 256 + 3, 24 + 34);
    datagram.writeUInt8(47, 24 + 48 + 38);
    datagram.writeUInt16BE(99, 24 + 48 + 34);
    const result = exportReader('netflow', 0x0307)(datagram);
    const ports =
      result.outcome === 'read' ? result.reports.map((one) => [one.sourcePort, one.destinationPort]) : [];
    expect(ports).to.deep.equal([
      [8, 3],
      [undefined, undefined],
    ]);
  });
});
