/** Instructions: what a rule does with a packet (OpenFlow 1.3.5 §7.2.4). Pure. */
import { decodeActions, renderActions, type Action } from './actions.ts';
import { requireBytes, sizedEntries } from './wire.ts';

/** Bytes of type and length, and with the padding before actions. */
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
 * The instructions of a rule; none is a rule that drops.
 * @throws OPENFLOW_PROTOCOL where one is cut short.
 */
export function decodeInstructions(bytes: Buffer): Instruction[] {
  return Array.from(sizedEntries(bytes, HEADER_BYTES, 'an instruction', 2), decodeInstruction);
}

/** As the `actions=` of ovs-ofctl(8) has them. */
export function renderInstructions(instructions: readonly Instruction[]): string {
  return instructions.length === 0 ? 'drop' : instructions.map(renderInstruction).join(',');
}

function decodeInstruction(instruction: Buffer): Instruction {
  const type = instruction.readUInt16BE(0);
  const need = (bytes: number): Buffer => {
    requireBytes(instruction, HEADER_BYTES, bytes, 'an instruction');
    return instruction;
  };
  switch (type) {
    case 1:
      return { kind: 'goto-table', table: need(1).readUInt8(4) };
    case 2:
      return {
        kind: 'write-metadata',
        value: need(20).readBigUInt64BE(8),
        mask: instruction.readBigUInt64BE(16),
      };
    case 3:
      return { kind: 'write-actions', actions: decodeActions(need(4).subarray(ACTIONS_OFFSET)) };
    case 4:
      return { kind: 'apply-actions', actions: decodeActions(need(4).subarray(ACTIONS_OFFSET)) };
    case 5:
      return { kind: 'clear-actions' };
    case 6:
      return { kind: 'meter', meter: need(4).readUInt32BE(4) };
    default:
      return { kind: 'other', type, bytes: instruction.subarray(HEADER_BYTES) };
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
