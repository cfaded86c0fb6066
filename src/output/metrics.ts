/** Every metric that there is. docs/metrics.md lists the same ones (tested both ways). Pure. */
import { MetricFamily } from './prometheus.ts';

const NIC = ['topology', 'vm', 'nic', 'network'] as const;
const PAIR = ['bridge', 'from', 'to', 'from_topology', 'from_vm', 'to_topology', 'to_vm', 'quality'] as const;
const DATAPATH = ['datapath'] as const;

/** Empty families of all metrics, in the order of the text. */
export function createMetricFamilies() {
  return {
    vmInfo: gauge(
      'vswitchboard_vm_info',
      'Where a NIC of a VM is plugged in; always 1. Join it by topology, vm and nic.',
      [...NIC, 'bridge', 'port', 'mac'],
    ),
    sentBytes: counter('vswitchboard_vm_sent_bytes_total', 'Bytes that the VM sent at this NIC.', NIC),
    receivedBytes: counter(
      'vswitchboard_vm_received_bytes_total',
      'Bytes that the VM received at this NIC.',
      NIC,
    ),
    sentPackets: counter('vswitchboard_vm_sent_packets_total', 'Packets that the VM sent at this NIC.', NIC),
    receivedPackets: counter(
      'vswitchboard_vm_received_packets_total',
      'Packets that the VM received at this NIC.',
      NIC,
    ),
    sentDropped: counter(
      'vswitchboard_vm_sent_dropped_packets_total',
      'Packets that the VM sent and that were dropped at its port.',
      NIC,
    ),
    receivedDropped: counter(
      'vswitchboard_vm_received_dropped_packets_total',
      'Packets for the VM that were dropped at its port.',
      NIC,
    ),
    sentErrors: counter(
      'vswitchboard_vm_sent_errors_total',
      'Packets that the VM sent with an error at its port.',
      NIC,
    ),
    receivedErrors: counter(
      'vswitchboard_vm_received_errors_total',
      'Packets for the VM with an error at its port.',
      NIC,
    ),
    hostLossPackets: counter(
      'vswitchboard_vm_host_loss_packets_total',
      'Packets that the VM sent, that its port counted, and that the switch never got.',
      NIC,
    ),
    nicsLeftOut: gauge(
      'vswitchboard_nics_left_out',
      'Ports without series of their own, since another one is marked as the same NIC of the same VM.',
      [],
    ),
    pairBytes: counter(
      'vswitchboard_pair_bytes_total',
      'Bytes from one end to another, for the pairs with most bytes; "other" is all the rest.',
      PAIR,
    ),
    pairPackets: counter(
      'vswitchboard_pair_packets_total',
      'Packets from one end to another, for the pairs with most bytes; "other" is all the rest.',
      PAIR,
    ),
    pairsLeftOut: gauge('vswitchboard_pairs_left_out', 'Pairs without series of their own now.', []),
    switchInfo: gauge('vswitchboard_switch_info', 'The version of Open vSwitch; always 1.', ['ovs_version']),
    controlUp: gauge(
      'vswitchboard_switch_control_up',
      'Whether ovs-vswitchd answered on its control socket: 1 or 0.',
      [],
    ),
    bridgeUp: gauge('vswitchboard_bridge_up', "Whether the bridge's counters could be read: 1 or 0.", [
      'bridge',
    ]),
    datapathFlows: gauge('vswitchboard_datapath_flows', 'Flows in the datapath.', DATAPATH),
    datapathFlowLimit: gauge(
      'vswitchboard_datapath_flow_limit',
      'Flows that ovs-vswitchd allows in the datapath at present.',
      DATAPATH,
    ),
    datapathFlowDump: gauge(
      'vswitchboard_datapath_flow_dump_seconds',
      'Seconds that the last look through all flows of the datapath took.',
      DATAPATH,
    ),
    datapathHits: counter(
      'vswitchboard_datapath_hits_total',
      'Packets that a flow of the datapath forwarded.',
      DATAPATH,
    ),
    datapathUpcalls: counter(
      'vswitchboard_datapath_upcalls_total',
      'Packets that no flow of the datapath matched.',
      DATAPATH,
    ),
    datapathLost: counter(
      'vswitchboard_datapath_upcalls_lost_total',
      'Packets that no flow of the datapath matched, and that were dropped before ovs-vswitchd got them.',
      DATAPATH,
    ),
    switchEvents: counter(
      'vswitchboard_switch_events_total',
      'Events that ovs-vswitchd counts, by its own names.',
      ['event'],
    ),
    readings: counter('vswitchboard_readings_total', 'Times that the switch was read.', []),
    readingSeconds: counter(
      'vswitchboard_reading_seconds_total',
      'Seconds from asking the switch until the last answer, of all readings.',
      [],
    ),
    bridgeFailures: counter(
      'vswitchboard_bridge_read_failures_total',
      'Readings in which the bridge could not be read.',
      ['bridge'],
    ),
    ovsdbReconnects: counter(
      'vswitchboard_ovsdb_reconnects_total',
      'Sessions with the database after the first one.',
      [],
    ),
    ovsdbUpdates: counter(
      'vswitchboard_ovsdb_updates_total',
      'Updates from the database that changed something.',
      [],
    ),
    ovsdbReceivedBytes: counter(
      'vswitchboard_ovsdb_received_bytes_total',
      'Bytes that came from the database.',
      [],
    ),
    // The names that client libraries give these two everywhere.
    cpuSeconds: counter('process_cpu_seconds_total', 'Seconds of CPU that this process used.', []),
    residentMemory: gauge('process_resident_memory_bytes', 'Bytes of memory that this process holds.', []),
  };
}

function counter<Label extends string>(
  name: `${string}_total`,
  help: string,
  labels: readonly Label[],
): MetricFamily<Label> {
  return new MetricFamily({ name, type: 'counter', help, labels });
}

function gauge<Label extends string>(
  name: string,
  help: string,
  labels: readonly Label[],
): MetricFamily<Label> {
  return new MetricFamily({ name, type: 'gauge', help, labels });
}
