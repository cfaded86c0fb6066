import { expect } from 'chai';
import { GONE_NIC_MS, MetricsPage, type MetricNic } from '../../../src/output/metricspage.ts';
import { NOT_MEASURED } from '../../../src/traffic/figures.ts';
import type { Pair } from '../../../src/traffic/pairs/pair.ts';

describe('a page of metrics', () => {
  it('has the counters of a NIC, as far as they are known, and where it is', () => {
    const page = new MetricsPage(0);
    page.setNics([nicOf('web1', { sentBytes: 7n, receivedBytes: 0n, hostLossPackets: 2n })], 0);
    expect(seriesOf(page)).to.deep.equal([
      `vm_info{${WEB1},bridge="br0",port="tap-web1",mac="52:54:00:00:00:01"} 1`,
      `vm_sent_bytes_total{${WEB1}} 7`,
      `vm_received_bytes_total{${WEB1}} 0`,
      `vm_host_loss_packets_total{${WEB1}} 2`,
      'nics_left_out 0',
    ]);
  });

  it('keeps what was known of a NIC that is gone for a minute, and not longer', () => {
    const page = new MetricsPage(0);
    page.setNics([nicOf('web1', { sentBytes: 7n }), nicOf('db1', { sentBytes: 8n })], 1000);
    page.setNics([nicOf('db1', { sentBytes: 9n })], 1000 + GONE_NIC_MS);
    expect(seriesOf(page, 'vm_sent_bytes')).to.have.members([
      `vm_sent_bytes_total{${WEB1}} 7`,
      `vm_sent_bytes_total{${DB1}} 9`,
    ]);
    page.setNics([nicOf('db1', { sentBytes: 9n })], 1001 + GONE_NIC_MS);
    expect(seriesOf(page).filter((line) => line.includes('web1'))).to.deep.equal([]);
    expect(seriesOf(page, 'vm_sent_bytes')).to.deep.equal([`vm_sent_bytes_total{${DB1}} 9`]);
  });

  it('has no counters of a NIC that cannot be read', () => {
    const page = new MetricsPage(0);
    page.setNics([nicOf('web1', { sentBytes: 7n })], 0);
    page.setNics([nicOf('web1', {})], 10);
    expect(seriesOf(page, 'vm_').map((line) => line.split('{')[0])).to.deep.equal(['vm_info']);
  });

  it('counts what was sent in one network only, also where the NIC is moved to another', () => {
    const page = new MetricsPage(0);
    page.setNics([nicOf('web1', { sentBytes: 7n })], 0);
    const moved = nicOf('web1', { sentBytes: 8n });
    page.setNics([{ ...moved, owner: { ...moved.owner, network: 'db' } }], 10);
    expect(seriesOf(page, 'vm_sent_bytes')).to.deep.equal([
      `vm_sent_bytes_total{${WEB1.replace('"web"', '"db"')}} 8`,
    ]);
  });

  it('says once where a NIC is, also after it was plugged in elsewhere', () => {
    const page = new MetricsPage(0);
    page.setNics([nicOf('web1', {})], 0);
    page.setNics([{ ...nicOf('web1', {}), port: 'tap9', mac: undefined }], 10);
    expect(seriesOf(page, 'vm_info')).to.deep.equal([`vm_info{${WEB1},bridge="br0",port="tap9"} 1`]);
  });

  it('takes one of two ports that are marked as the same NIC, since two same series would spoil the page', () => {
    const page = new MetricsPage(0);
    const second = { ...nicOf('web1', { sentBytes: 8n }), port: 'copy' };
    page.setNics([nicOf('web1', { sentBytes: 7n }), second, nicOf('db1', { sentBytes: 9n })], 0);
    expect(seriesOf(page, 'vm_sent_bytes')).to.deep.equal([
      `vm_sent_bytes_total{${WEB1}} 7`,
      `vm_sent_bytes_total{${DB1}} 9`,
    ]);
    expect(seriesOf(page, 'nics_left_out')).to.deep.equal(['nics_left_out 1']);
  });

  it('has the top pairs and the rest, by name', () => {
    const page = new MetricsPage(1);
    page.setPairs([pairOf('web1', 'db1', 10n), pairOf('web1', 'uplink', 30n), pairOf('db1', 'flood', 5n)]);
    const from = 'from="web1:0"';
    const who = 'from_topology="lab",from_vm="web1"';
    expect(seriesOf(page)).to.deep.equal([
      `pair_bytes_total{bridge="br0",${from},to="uplink",${who},quality="exact"} 30`,
      'pair_bytes_total{bridge="br0",from="other",to="other",quality="exact"} 15',
      `pair_packets_total{bridge="br0",${from},to="uplink",${who},quality="exact"} 3`,
      'pair_packets_total{bridge="br0",from="other",to="other",quality="exact"} 2',
      'pairs_left_out 2',
    ]);
    page.setPairs([pairOf('web1', 'db1', 40n), pairOf('web1', 'uplink', 30n)]);
    expect(seriesOf(page, 'pair_bytes').filter((line) => !line.includes('other'))).to.deep.equal([
      `pair_bytes_total{bridge="br0",${from},to="db1:0",${who},to_topology="lab",to_vm="db1",quality="exact"} 40`,
    ]);
  });

  it('says what it could not read, and forgets bridges and datapaths that are gone', () => {
    const page = new MetricsPage(0);
    const datapath = {
      ...{ hits: 5n, upcalls: 4n, lost: undefined, flows: 3n, flowLimit: 200_000n, flowDumpMs: 2 },
    };
    const events = new Map([['upcall_flow_limit_hit', 1n]]);
    page.setHealth({ datapaths: [{ name: 'netdev@ovs-netdev', ...datapath }], events }, '3.1.0');
    page.addReading(
      [
        { bridge: 'br0', outcome: 'lost' },
        { bridge: 'br1', outcome: 'read' },
      ],
      250,
    );
    expect(seriesOf(page)).to.deep.equal([
      'switch_info{ovs_version="3.1.0"} 1',
      'switch_control_up 1',
      'bridge_up{bridge="br0"} 0',
      'bridge_up{bridge="br1"} 1',
      'datapath_flows{datapath="netdev@ovs-netdev"} 3',
      'datapath_flow_limit{datapath="netdev@ovs-netdev"} 200000',
      'datapath_flow_dump_seconds{datapath="netdev@ovs-netdev"} 0.002',
      'datapath_hits_total{datapath="netdev@ovs-netdev"} 5',
      'datapath_upcalls_total{datapath="netdev@ovs-netdev"} 4',
      'switch_events_total{event="upcall_flow_limit_hit"} 1',
      'readings_total 1',
      'reading_seconds_total 0.25',
      'bridge_read_failures_total{bridge="br0"} 1',
      'bridge_read_failures_total{bridge="br1"} 0',
    ]);
    page.setHealth(undefined, undefined);
    page.addReading([{ bridge: 'br0', outcome: 'lost' }], 50);
    expect(seriesOf(page)).to.deep.equal([
      'switch_control_up 0',
      'bridge_up{bridge="br0"} 0',
      'readings_total 2',
      'reading_seconds_total 0.3',
      'bridge_read_failures_total{bridge="br0"} 2',
    ]);
  });
});

const WEB1 = 'topology="lab",vm="web1",nic="0",network="web"';
const DB1 = WEB1.replace('web1', 'db1');

/** Lines that are no comments, without the prefix that all have. */
function seriesOf(page: MetricsPage, start = ''): string[] {
  const lines = page.render('prometheus').split('\n');
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/^vswitchboard_/, ''))
    .filter((line) => line.startsWith(start));
}

function nicOf(vm: string, known: Partial<MetricNic>): MetricNic {
  const owner = { vm, nic: '0', topology: 'lab', network: 'web' };
  return { ...NOT_MEASURED, owner, bridge: 'br0', port: `tap-${vm}`, mac: '52:54:00:00:00:01', ...known };
}

function pairOf(from: string, to: string, bytes: bigint): Pair {
  return {
    bridge: 'br0',
    from: { vm: from, nic: '0', topology: 'lab', network: 'web' },
    to: to === 'uplink' || to === 'flood' ? to : { vm: to, nic: '0', topology: 'lab', network: 'web' },
    packets: bytes / 10n + (bytes % 10n === 0n ? 0n : 1n),
    bytes,
    packetsPerSecond: undefined,
    bitsPerSecond: undefined,
    quality: 'exact',
    ageMs: 0,
  };
}
