/**
 * The rows of Open vSwitch's exporters (ovs-vswitchd.conf.db(5), tables NetFlow, IPFIX, sFlow) in a transaction, with the
 * settings that make them good to look at. Whose they are, and for how long, is exporters.ts's. Pure.
 */
import type { IPFIXRow, NetFlowRow, OpenVSwitchTables, SFlowRow } from '../ovsdb/generated/vswitch.ts';
import type { Uuid } from '../ovsdb/schema/schema.ts';
import type { RowInput, Transaction } from '../ovsdb/transaction/transaction.ts';

type Vswitch = Transaction<OpenVSwitchTables>;

/** By the name of the Bridge's column. */
export type ExporterKind = 'netflow' | 'ipfix' | 'sflow';
export const EXPORTER_KINDS: readonly ExporterKind[] = ['netflow', 'ipfix', 'sflow'];

/** One exporter to be made. */
export interface ExporterRequest {
  readonly bridge: string;
  readonly kind: ExporterKind;
  /** UDP port on the loopback address of the switch's network namespace. */
  readonly port: number;
  /** 0 to 65535: what datagrams of it carry, so that those of others are known as such. Not for sFlow. */
  readonly domain: number;
  /** One packet in so many; NetFlow takes no notice, and counts all. */
  readonly sampling: number;
}

/** Where their rows are. */
export const EXPORTER_TABLES = { netflow: 'NetFlow', ipfix: 'IPFIX', sflow: 'sFlow' } as const;

/** Seconds: the shortest there is, so that counts come while the flow goes on (default 600 s). */
const NETFLOW_ACTIVE_TIMEOUT_S = 1;
/** Seconds: records are kept so long to be added up. Without, each packet is a datagram, which costs twice as much. */
const IPFIX_CACHE_TIMEOUT_S = 1;
/** Flows to be added up at the same time; what is beyond goes out before its time, and is not lost. */
const IPFIX_CACHE_FLOWS = 65_536;
const IPFIX_OPTIONS: ReadonlyMap<string, string> = new Map([
  // Packets are not to be counted again where they leave. Open vSwitch takes the word for its opposite (bridge.c negates
  // it, whatever the manual says); who reads the records must not count on either.
  ['enable-output-sampling', 'true'],
  // One template for all that comes in at a tunnel, with what it came out of: nobody reads that here.
  ['enable-tunnel-sampling', 'false'],
  // Seconds; a collector knows nothing before it has the templates (default 600 s).
  ['template_interval', '1'],
]);
/** Bytes of each packet: up to the ports behind the longest usual headers. */
const SFLOW_HEADER_BYTES = 128;

/** Adds an exporter to a bridge that has none of its kind; where it has by then, the outcome is `try-again`. */
export function insertExporter(
  transaction: Vswitch,
  bridge: Uuid<'Bridge'>,
  request: ExporterRequest,
  external_ids: ReadonlyMap<string, string>,
): void {
  // The column is compared too, so that who was quicker is not overwritten.
  switch (request.kind) {
    case 'netflow': {
      transaction.wait('Bridge', bridge, '==', ['netflow'], [{ netflow: undefined }], { timeoutMs: 0 });
      const netflow = transaction.insert('NetFlow', { ...netflowColumns(request), external_ids });
      transaction.update('Bridge', bridge, { netflow });
      break;
    }
    case 'ipfix': {
      transaction.wait('Bridge', bridge, '==', ['ipfix'], [{ ipfix: undefined }], { timeoutMs: 0 });
      const ipfix = transaction.insert('IPFIX', { ...ipfixColumns(request), external_ids });
      transaction.update('Bridge', bridge, { ipfix });
      break;
    }
    case 'sflow': {
      transaction.wait('Bridge', bridge, '==', ['sflow'], [{ sflow: undefined }], { timeoutMs: 0 });
      const sflow = transaction.insert('sFlow', { ...sflowColumns(request), external_ids });
      transaction.update('Bridge', bridge, { sflow });
      break;
    }
  }
}

function netflowColumns({ port, domain }: ExporterRequest): RowInput<NetFlowRow> {
  return {
    targets: [targetAt(port)],
    engine_type: domain >>> 8,
    engine_id: domain & 0xff,
    // Our port numbers have more bits than it leaves them.
    add_id_to_interface: false,
    active_timeout: NETFLOW_ACTIVE_TIMEOUT_S,
  };
}

function ipfixColumns({ port, domain, sampling }: ExporterRequest): RowInput<IPFIXRow> {
  return {
    targets: [targetAt(port)],
    obs_domain_id: domain,
    sampling,
    cache_active_timeout: IPFIX_CACHE_TIMEOUT_S,
    cache_max_flows: IPFIX_CACHE_FLOWS,
    other_config: IPFIX_OPTIONS,
  };
}

function sflowColumns({ port, sampling }: ExporterRequest): RowInput<SFlowRow> {
  return {
    targets: [targetAt(port)],
    sampling,
    header: SFLOW_HEADER_BYTES,
    // No port counters: they are read elsewhere.
    polling: 0,
    // Open vSwitch sends nothing where it finds no address for itself; loopback always has one.
    agent: 'lo',
  };
}

function targetAt(port: number): string {
  return `127.0.0.1:${String(port)}`;
}

/** Takes an exporter off its bridge; a bridge that has another one by then keeps it. The row goes with the reference. */
export function unreference(transaction: Vswitch, kind: ExporterKind, uuid: Uuid): void {
  switch (kind) {
    case 'netflow':
      transaction.update('Bridge', [['netflow', '==', uuid]], { netflow: undefined });
      break;
    case 'ipfix':
      transaction.update('Bridge', [['ipfix', '==', uuid]], { ipfix: undefined });
      break;
    case 'sflow':
      transaction.update('Bridge', [['sflow', '==', uuid]], { sflow: undefined });
      break;
  }
}
