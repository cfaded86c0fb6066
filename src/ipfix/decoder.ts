/**
 * IPFIX messages out of their bytes (RFC 7011). The decoder keeps the templates of each exporter and observation domain
 * (§8); it does no I/O and reads no clock. Where datagrams come from, and which VM an address is, is left to the caller.
 */
import { decodeRecord, type IpfixRecord } from './record.ts';
import { TemplateStore, type Templates } from './templatestore.ts';
import { decodeTemplateRecord } from './template.ts';

const VERSION = 10;
const HEADER_BYTES = 16;
const SET_HEADER_BYTES = 4;
const TEMPLATE_SET = 2;
const OPTIONS_TEMPLATE_SET = 3;
/** Set ids below are no templates' (§3.3.2). */
const FIRST_TEMPLATE_ID = 256;

export interface IpfixMessage {
  /** Milliseconds since 1970 by the exporter's clock, in whole seconds. */
  readonly exportedAtMs: number;
  /**
   * Modulo 2^32. RFC 7011 §3.1: how many data records went before this message's, in its observation domain. Open vSwitch
   * begins with 1 and counts the domains of an exporter together; what it says of itself (`options`) is in domain 0.
   */
  readonly sequence: number;
  readonly observationDomain: number;
  /** What flows there were. */
  readonly records: readonly IpfixRecord[];
  /** What the exporter says of itself (records of options templates), for example notSentPacketTotalCount. */
  readonly options: readonly IpfixRecord[];
  /** How many templates it defined or withdrew. */
  readonly templates: number;
  /** How many sets were dropped because their template is not known (yet); how many records they had nobody can tell. */
  readonly setsWithoutTemplate: number;
}

export type IpfixResult =
  | { readonly outcome: 'decoded'; readonly message: IpfixMessage }
  /** Nothing of it is used, no template either (§9: discard the message). */
  | { readonly outcome: 'malformed'; readonly why: string };

export class IpfixDecoder {
  readonly #store = new TemplateStore();

  /**
   * Reads one datagram. Never throws, whatever the bytes. Data that comes before its template is dropped and counted:
   * Open vSwitch sends the templates first, and repeats them each `template_interval`.
   * @param exporter who sent it, for example `127.0.0.1:40000`: template ids are the exporter's own
   */
  decode(datagram: Uint8Array, exporter: string): IpfixResult {
    const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
    const fault = findHeaderFault(view);
    if (fault !== undefined) return { outcome: 'malformed', why: fault };
    const templates = this.#store.open(exporter, view.getUint32(12));
    const message = new MessageReader(view, templates);
    const why = message.readSets();
    if (why !== undefined) return { outcome: 'malformed', why };
    templates.keep();
    return { outcome: 'decoded', message: message.result() };
  }
}

function findHeaderFault(view: DataView): string | undefined {
  const bytes = view.byteLength;
  if (bytes < HEADER_BYTES) return `${String(bytes)} bytes, fewer than a header has`;
  const version = view.getUint16(0);
  if (version !== VERSION) return `version ${String(version)}, not ${String(VERSION)}`;
  const length = view.getUint16(2);
  return length === bytes ? undefined : `${String(bytes)} bytes that say ${String(length)}`;
}

/** The sets of one message, in their order: a template holds for the data after it. */
class MessageReader {
  readonly #view: DataView;
  readonly #templates: Templates;
  readonly #exportedAtMs: number;
  readonly #records: IpfixRecord[] = [];
  readonly #options: IpfixRecord[] = [];
  #defined = 0;
  #setsWithoutTemplate = 0;

  constructor(view: DataView, templates: Templates) {
    this.#view = view;
    this.#templates = templates;
    this.#exportedAtMs = view.getUint32(4) * 1000;
  }

  result(): IpfixMessage {
    return {
      exportedAtMs: this.#exportedAtMs,
      sequence: this.#view.getUint32(8),
      observationDomain: this.#view.getUint32(12),
      records: this.#records,
      options: this.#options,
      templates: this.#defined,
      setsWithoutTemplate: this.#setsWithoutTemplate,
    };
  }

  /** @returns why it is malformed, or `undefined` */
  readSets(): string | undefined {
    const end = this.#view.byteLength;
    for (let offset = HEADER_BYTES; offset < end;) {
      if (end - offset < SET_HEADER_BYTES) return 'a set is cut short';
      const id = this.#view.getUint16(offset);
      const length = this.#view.getUint16(offset + 2);
      if (length < SET_HEADER_BYTES) return `a set of length ${String(length)}`;
      if (length > end - offset) return 'a set is cut short';
      const why = this.#readSet(id, offset + SET_HEADER_BYTES, offset + length);
      if (why !== undefined) return why;
      offset += length;
    }
    return undefined;
  }

  #readSet(id: number, start: number, end: number): string | undefined {
    if (id === TEMPLATE_SET) return this.#readTemplates(start, end, 'data');
    if (id === OPTIONS_TEMPLATE_SET) return this.#readTemplates(start, end, 'options');
    // Reserved for what is to come (§3.3.2).
    if (id < FIRST_TEMPLATE_ID) return undefined;
    return this.#readData(id, start, end);
  }

  #readTemplates(start: number, end: number, kind: 'data' | 'options'): string | undefined {
    // What is shorter than a template's header is padding.
    for (let offset = start; end - offset >= 4;) {
      const read = decodeTemplateRecord(this.#view, offset, end, kind);
      if (typeof read === 'string') return read;
      if (read.template === undefined) this.#templates.withdraw(read.id, kind);
      else this.#templates.define(read.template);
      this.#defined++;
      offset = read.next;
    }
    return undefined;
  }

  #readData(id: number, start: number, end: number): string | undefined {
    const template = this.#templates.find(id);
    if (template === undefined) {
      this.#setsWithoutTemplate++;
      return undefined;
    }
    const records = template.kind === 'data' ? this.#records : this.#options;
    // What is shorter than any record is padding (§3.3.1).
    for (let offset = start; end - offset >= template.minRecordBytes;) {
      const read = decodeRecord(this.#view, offset, end, template, this.#exportedAtMs);
      if (read === undefined) return 'a record is cut short';
      records.push(read.record);
      offset = read.next;
    }
    return undefined;
  }
}
