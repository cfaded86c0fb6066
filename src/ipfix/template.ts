/** Templates: which elements a record has, and how long each is (RFC 7011 §3.4.1, §3.4.2). Pure. */
import { findElement, REVERSE_ENTERPRISE, type ReadValue, type ValueName } from './elements.ts';

/** The length that says: each record gives its own (RFC 7011 §7). */
export const VARIABLE_LENGTH = 65535;
const ENTERPRISE_BIT = 0x8000;

export interface TemplateField {
  readonly enterprise: number;
  readonly id: number;
  /** In bytes, or VARIABLE_LENGTH. */
  readonly length: number;
  /** `undefined` where the element is not known here, or the record has it already. */
  readonly value:
    { readonly name: ValueName; readonly read: ReadValue; readonly reverse: boolean } | undefined;
}

export interface Template {
  readonly id: number;
  readonly kind: 'data' | 'options';
  readonly fields: readonly TemplateField[];
  /** What a record has at least; at least 1, so that a set has an end. */
  readonly minRecordBytes: number;
}

/** A template record of a set, and where the next one starts. */
export interface TemplateRecord {
  readonly id: number;
  /** `undefined`: the template is withdrawn (no fields, RFC 7011 §8.1). */
  readonly template: Template | undefined;
  readonly next: number;
}

const HEADER_BYTES = 4;
const OPTIONS_HEADER_BYTES = 6;

/** @returns what stands at `offset`, or why it is malformed. */
export function decodeTemplateRecord(
  view: DataView,
  offset: number,
  end: number,
  kind: Template['kind'],
): TemplateRecord | string {
  if (end - offset < HEADER_BYTES) return 'a template is cut short';
  const id = view.getUint16(offset);
  const count = view.getUint16(offset + 2);
  if (count === 0) return { id, template: undefined, next: offset + HEADER_BYTES };
  if (id < 256) return `a template has the id ${String(id)}`;
  const start = offset + (kind === 'data' ? HEADER_BYTES : OPTIONS_HEADER_BYTES);
  const specifiers = decodeSpecifiers(view, start, end, count);
  if (typeof specifiers === 'string') return specifiers;
  const fields = nameFields(specifiers.list);
  const minRecordBytes = fields.reduce(
    (sum, { length }) => sum + (length === VARIABLE_LENGTH ? 1 : length),
    0,
  );
  return { id, template: { id, kind, fields, minRecordBytes }, next: specifiers.next };
}

interface Specifier {
  readonly enterprise: number;
  readonly id: number;
  readonly length: number;
}

function decodeSpecifiers(
  view: DataView,
  start: number,
  end: number,
  count: number,
): { readonly list: readonly Specifier[]; readonly next: number } | string {
  const list: Specifier[] = [];
  let next = start;
  for (let index = 0; index < count; index++) {
    if (end - next < 4) return 'a template is cut short';
    const id = view.getUint16(next);
    const length = view.getUint16(next + 2);
    // A field without bytes would let a short message stand for any number of values.
    if (length === 0) return 'a template has a field of no length';
    const own = (id & ENTERPRISE_BIT) !== 0;
    if (own && end - next < 8) return 'a template is cut short';
    list.push({ enterprise: own ? view.getUint32(next + 4) : 0, id: id & ~ENTERPRISE_BIT, length });
    next += own ? 8 : 4;
  }
  return { list, next };
}

function nameFields(specifiers: readonly Specifier[]): TemplateField[] {
  const taken = new Set<string>();
  let side: keyof typeof SIDED | undefined;
  return specifiers.map((specifier) => {
    const element = findElement(specifier.enterprise, specifier.id);
    if (element === undefined) return { ...specifier, value: undefined };
    if (element.name === 'ingressInterface') side = 'ingress';
    if (element.name === 'egressInterface') side = 'egress';
    const name = nameOnSide(element.name, side);
    const reverse = specifier.enterprise === REVERSE_ENTERPRISE;
    const key = reverse ? `reverse ${name}` : name;
    if (taken.has(key)) return { ...specifier, value: undefined };
    taken.add(key);
    return { ...specifier, value: { name, read: element.read, reverse } };
  });
}

/** Written out: a name that is put together at run time is looked up anew in each record. */
const SIDED = {
  ingress: { interfaceName: 'ingressInterfaceName', interfaceDescription: 'ingressInterfaceDescription' },
  egress: { interfaceName: 'egressInterfaceName', interfaceDescription: 'egressInterfaceDescription' },
} as const;

function nameOnSide(name: ValueName, side: keyof typeof SIDED | undefined): ValueName {
  if (side === undefined) return name;
  return name === 'interfaceName' || name === 'interfaceDescription' ? SIDED[side][name] : name;
}
