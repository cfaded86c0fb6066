/**
 * Takes in what one exporter of Open vSwitch sends over UDP, and counts what did not come: datagrams have numbers, so a gap
 * is seen. One socket for each exporter tells bridges apart. What is made of the reports is conversations.ts's.
 */
import type { Socket } from 'node:dgram';
import type { ExportReader, FlowReport } from './collectorformats.ts';

/** What came in at a socket. */
export interface CollectorCounts {
  readonly datagrams: number;
  /** Reports of flows. */
  readonly reports: number;
  /** Datagrams that are not of the format. */
  readonly malformed: number;
  /** Datagrams of the format that another exporter sent. */
  readonly foreign: number;
  /** Records (of sFlow: datagrams) that are known not to have come. */
  readonly lost: number;
  /** How often the numbers began anew: ovs-vswitchd was restarted, and what it had not sent yet is lost. */
  readonly restarts: number;
}

/**
 * Bytes that may wait while we are busy: 300,000 records of NetFlow. The kernel gives at most `net.core.rmem_max`
 * (socket(7)), on many hosts 212,992: 2,500 records.
 */
const RECEIVE_BUFFER_BYTES = 16 * 2 ** 20;
/** Numbers are modulo 2^32; a step of more than half of that was one back. */
const HALF = 2 ** 31;

/** The counts so far, and the end: disposing of it closes the socket. */
export class Collector implements Disposable {
  readonly #socket: Socket;
  readonly #read: ExportReader;
  readonly #onReports: (reports: readonly FlowReport[]) => void;
  readonly #counts = { datagrams: 0, reports: 0, malformed: 0, foreign: 0, lost: 0, restarts: 0 };
  #next: number | undefined;

  /**
   * @param socket bound; is closed with the collector
   * @param onReports called with the reports of each datagram that has some, in order
   */
  constructor(socket: Socket, read: ExportReader, onReports: (reports: readonly FlowReport[]) => void) {
    this.#socket = socket;
    this.#read = read;
    this.#onReports = onReports;
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    // Errors of a socket that only receives pass by themselves; what got lost shows in the numbers.
    socket.on('error', () => undefined);
    socket.on('message', (datagram) => {
      this.#take(datagram);
    });
  }

  /** To be given to the exporter. */
  get port(): number {
    return this.#socket.address().port;
  }

  get counts(): CollectorCounts {
    return { ...this.#counts };
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #take(datagram: Uint8Array): void {
    this.#counts.datagrams += 1;
    const read = this.#read(datagram);
    if (read.outcome !== 'read') {
      this.#counts[read.outcome] += 1;
      return;
    }
    this.#compareNumbers(read.first);
    this.#next = read.next;
    this.#counts.lost += read.lost;
    this.#counts.reports += read.reports.length;
    if (read.reports.length > 0) this.#onReports(read.reports);
  }

  #compareNumbers(first: number): void {
    if (this.#next === undefined) return;
    const missing = (first - this.#next) >>> 0;
    if (missing < HALF) this.#counts.lost += missing;
    else this.#counts.restarts += 1;
  }
}
