/** Instructions: what a rule does with a packet (OpenFlow 1.3.5 §7.2.4). Pure. */
import { decodeActions, renderActions, type Action } from './actions.ts';
import { entryBytes, requireBytes } from './wire.ts';

/** Bytes of type and length, and together with the padding before actions. */
const HEADER_BYTES = 4;
const ACTIONS_OFFSET = 8;

export type Instruction =
  | { readonly kind: 'goto-table'; readonly table: number }
  | { readonly kind: 'write-metadata'; readonly value: bigint; readonly mask: bigint }
  | { readonly kind: 'write-actions' | 'apply-actions'; readonly actions: readonly Action[] }
  | { readonly kind: 'clear-actions' }
  | { readonly kind: 'meter'; readonly meter: number }
  | { readonly kind: 'other'; readonly type: number; readonly bytes: Buffer };

/**
 * The instructions from `start` to `end`; without any, the rule drops.
 * @throws OPENFLOW_PROTOCOL where one is cut short.
 */
export function decodeInstructions(bytes: Buffer, start: number, end: number): Instruction[] {
  const instructions: Instruction[] = [];
  for (let offset = start; offset < end;) {
    const next = offset + entryBytes(bytes, offset, end, HEADER_BYTES, 'an instruction', 2);
    instructions.push(decodeInstruction(bytes, offset, next));
    offset = next;
  }
  return instructions;
}

/** As the `actions=` of ovs-ofctl(8) has them. */
export function renderInstructions(instructions: readonly Instruction[]): string {
  return instructions.length === 0 ? 'drop' : instructions.map(renderInstruction).join(',');
}

function decodeInstruction(bytes: Buffer, start: number, end: number): Instruction {
  const type = bytes.readUInt16BE(start);
  const need = (count: number): void => {
    requireBytes(bytes, start, count, 'an instruction', end);
  };
  switch (type) {
    case 1:
      need(5);
      return { kind: 'goto-table', table: bytes.readUInt8(start + 4) };
    case 2:
      need(24);
      return {
        kind: 'write-metadata',
        value: bytes.readBigUInt64BE(start + 8),
        mask: bytes.readBigUInt64BE(start + 16),
      };
    case 3:
    case 4:
      need(ACTIONS_OFFSET);
      return {
        kind: type === 3 ? 'write-actions' : 'apply-actions',
        actions: decodeActions(bytes, start + ACTIONS_OFFSET, end),
      };
    case 5:
      return { kind: 'clear-actions' };
    case 6:
      need(8);
      return { kind: 'meter', meter: bytes.readUInt32BE(start + 4) };
    default:
      return { kind: 'other', type, bytes: bytes.subarray(start + HEADER_BYTES, end) };
  }
}

function renderInstruction(instruction: Instruction): string {
  switch (instruction.kind) {
    case 'goto-table':
      return `goto_table:${String(instruction.table)}`;
    case 'write-metadata': {
      const { value, mask } = instruction;
      return `write_metadata:0x${value.toString(16)}/0x${mask.toString(16)}`;
    }
    case 'write-actions':
      return `write_actions(${renderActions(instruction.actions)})`;
    case 'apply-actions':
      return renderActions(instruction.actions);
    case 'clear-actions':
      return 'clear_actions';
    case 'meter':
      return `meter:${String(instruction.meter)}`;
    case 'other':
      return `instruction(${String(instruction.type)},0x${instruction.bytes.toString('hex')})`;
  }
}
