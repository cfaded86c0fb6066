/**
 * Actions of rules and of buckets of groups (OpenFlow 1.3.5 §7.2.5, ovs-actions(7)): those of our own flows with their
 * arguments, all others by name and with their bytes. Pure.
 */
import { ACTION_NAMES, NICIRA_ACTION_NAMES } from './actionnames.ts';
import { renderPort } from './fieldtext.ts';
import { decodeField, renderValue, type FieldValue } from './match.ts';
import { fieldOf, isExperimenterField, type Field } from './matchfields.ts';
import { entryBytes, malformed, requireBytes } from './wire.ts';

/** Bytes of type and length. */
const HEADER_BYTES = 4;
const EXPERIMENTER = 0xffff;
/** With experimenter and subtype. */
const NICIRA_HEADER_BYTES = 10;
const NICIRA = 0x00002320;
const OUTPUT = 0;
const PUSH_VLAN = 17;
const POP_VLAN = 18;
const SET_QUEUE = 21;
const GROUP = 22;
const SET_FIELD = 25;
const NICIRA_RESUBMIT = 1;
const NICIRA_MOVE = 6;
const NICIRA_LOAD = 7;
const NICIRA_RESUBMIT_TABLE = 14;
/** `OFPP_IN_PORT` of 16 bits. */
const RESUBMIT_IN_PORT = 0xfff8;
const RESUBMIT_THIS_TABLE = 0xff;

/** Bits of a field; from the lowest, which is 0. */
export interface Bits {
  readonly field: Field;
  readonly firstBit: number;
  readonly bits: number;
}

export type Action =
  | { readonly kind: 'output'; readonly port: number }
  | { readonly kind: 'group'; readonly group: number }
  | { readonly kind: 'set-queue'; readonly queue: number }
  | { readonly kind: 'push-vlan'; readonly etherType: number }
  | { readonly kind: 'pop-vlan' }
  | { readonly kind: 'set-field'; readonly field: FieldValue }
  | { readonly kind: 'load'; readonly value: bigint; readonly to: Bits }
  | { readonly kind: 'move'; readonly from: Bits; readonly to: Bits }
  /** Each `undefined` where it is the packet's own, or the table of the rule. */
  | { readonly kind: 'resubmit'; readonly port: number | undefined; readonly table: number | undefined }
  /** `bytes` without type and length, and without experimenter and subtype where `name` says them. */
  | { readonly kind: 'other'; readonly name: string; readonly bytes: Buffer };

/**
 * The actions from `start` to `end`.
 * @throws OPENFLOW_PROTOCOL where one is cut short.
 */
export function decodeActions(bytes: Buffer, start: number, end: number): Action[] {
  const actions: Action[] = [];
  for (let offset = start; offset < end;) {
    const next = offset + entryBytes(bytes, offset, end, HEADER_BYTES, 'an action', 2);
    actions.push(decodeAction(bytes, offset, next));
    offset = next;
  }
  return actions;
}

/** `set_field:0x1->reg0,resubmit(,50),LOCAL`, as ovs-ofctl(8) reads it but for what is not known here; or `drop`. */
export function renderActions(actions: readonly Action[]): string {
  return actions.length === 0 ? 'drop' : actions.map(renderAction).join(',');
}

function decodeAction(bytes: Buffer, start: number, end: number): Action {
  const type = bytes.readUInt16BE(start);
  const argument = (count: number): number => {
    requireBytes(bytes, start + HEADER_BYTES, count, 'an action', end);
    return bytes.readUIntBE(start + HEADER_BYTES, count);
  };
  switch (type) {
    case OUTPUT:
      return { kind: 'output', port: argument(4) };
    case GROUP:
      return { kind: 'group', group: argument(4) };
    case SET_QUEUE:
      return { kind: 'set-queue', queue: argument(4) };
    case PUSH_VLAN:
      return { kind: 'push-vlan', etherType: argument(2) };
    case POP_VLAN:
      return { kind: 'pop-vlan' };
    case SET_FIELD:
      return { kind: 'set-field', field: decodeField(bytes, start + HEADER_BYTES, end) };
    case EXPERIMENTER:
      return argument(4) === NICIRA
        ? decodeNiciraAction(bytes, start, end)
        : other(bytes, start + 8, end, `experimenter(0x${argument(4).toString(16)})`);
    default:
      return other(bytes, start + HEADER_BYTES, end, ACTION_NAMES.get(type) ?? `action(${String(type)})`);
  }
}

/** Open vSwitch's own; all of them begin with 16 bytes, in which arguments may be. */
function decodeNiciraAction(bytes: Buffer, start: number, end: number): Action {
  const at = start + NICIRA_HEADER_BYTES;
  requireBytes(bytes, at, 6, 'an action', end);
  const subtype = bytes.readUInt16BE(at - 2);
  switch (subtype) {
    case NICIRA_RESUBMIT:
      return { kind: 'resubmit', port: unless(RESUBMIT_IN_PORT, bytes.readUInt16BE(at)), table: undefined };
    case NICIRA_RESUBMIT_TABLE:
      return {
        kind: 'resubmit',
        port: unless(RESUBMIT_IN_PORT, bytes.readUInt16BE(at)),
        table: unless(RESUBMIT_THIS_TABLE, bytes.readUInt8(at + 2)),
      };
    case NICIRA_LOAD:
      requireBytes(bytes, at, 14, 'a load action', end);
      return decodeLoad(bytes, at);
    case NICIRA_MOVE:
      requireBytes(bytes, at, 14, 'a move action', end);
      return decodeMove(bytes, at);
    default:
      return other(bytes, at, end, NICIRA_ACTION_NAMES.get(subtype) ?? `nicira(${String(subtype)})`);
  }
}

function other(bytes: Buffer, start: number, end: number, name: string): Action {
  return { kind: 'other', name, bytes: bytes.subarray(start, end) };
}

function unless(special: number, value: number): number | undefined {
  return value === special ? undefined : value;
}

/** `nx_action_reg_load`: first bit in the upper 10 bits of 16, number of bits less 1 in the lower 6; field; value. */
function decodeLoad(bytes: Buffer, at: number): Action {
  const range = bytes.readUInt16BE(at);
  const to = { field: decodeFieldName(bytes, at + 2), firstBit: range >>> 6, bits: (range & 0x3f) + 1 };
  return { kind: 'load', value: bytes.readBigUInt64BE(at + 6), to };
}

/** `nx_action_reg_move`: number of bits, first bit of source and destination, source, destination. */
function decodeMove(bytes: Buffer, at: number): Action {
  const bits = bytes.readUInt16BE(at);
  return {
    kind: 'move',
    from: { field: decodeFieldName(bytes, at + 6), firstBit: bytes.readUInt16BE(at + 2), bits },
    to: { field: decodeFieldName(bytes, at + 10), firstBit: bytes.readUInt16BE(at + 4), bits },
  };
}

/** A header without value. */
function decodeFieldName(bytes: Buffer, at: number): Field {
  const id = bytes.readUInt32BE(at) >>> 9;
  // Its experimenter would make all that follows longer; Open vSwitch has none such in these two.
  if (isExperimenterField(id)) throw malformed('an experimenter field in an action of Open vSwitch');
  return fieldOf(id, undefined);
}

function renderAction(action: Action): string {
  switch (action.kind) {
    case 'output':
      return renderOutput(action.port);
    case 'group':
      return `group:${String(action.group)}`;
    case 'set-queue':
      return `set_queue:${String(action.queue)}`;
    case 'push-vlan':
      return `push_vlan:0x${action.etherType.toString(16)}`;
    case 'pop-vlan':
      return 'pop_vlan';
    case 'set-field':
      return `set_field:${renderValue(action.field)}->${action.field.field.name}`;
    case 'load':
      return `load:0x${action.value.toString(16)}->${renderBits(action.to)}`;
    case 'move':
      return `move:${renderBits(action.from)}->${renderBits(action.to)}`;
    case 'resubmit':
      return `resubmit(${renderOptional(action.port)},${renderOptional(action.table)})`;
    case 'other':
      return action.bytes.some((byte) => byte !== 0)
        ? `${action.name}(0x${action.bytes.toString('hex')})`
        : action.name;
  }
}

/** A reserved port by its name alone. */
function renderOutput(port: number): string {
  const text = renderPort(port);
  return text === String(port) ? `output:${text}` : text;
}

/** `reg0[0..31]` */
function renderBits({ field, firstBit, bits }: Bits): string {
  return `${field.name}[${String(firstBit)}..${String(firstBit + bits - 1)}]`;
}

function renderOptional(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}
