/** zod's issues → ours: one for each thing that is wrong with a value by itself. */
import type { z } from 'zod';
import { type ErrorCode } from '../errors.ts';
import { found, type Found } from './issues.ts';
import { nearestName } from './nearest.ts';
import { LATER_VALUES, OBJECTS, type ObjectKeys } from './schema.ts';
import type { Path } from './yaml.ts';

type ZodIssue = z.core.$ZodIssue;

/** Codes that the schema names itself (its error texts), with the details that all of them can be made from. */
const VALUE_CODES = [
  'VLAN_INVALID',
  'TRUNK_EMPTY',
  'MAC_INVALID',
  'MAC_UNUSABLE',
  'IP_INVALID',
  'CIDR_INVALID',
  'RATE_INVALID',
  'SIZE_INVALID',
  'PCI_ADDRESS_INVALID',
  'BACKEND_INVALID',
] as const satisfies readonly ErrorCode[];

/**
 * Reads what zod found.
 * @param root the value that was decoded
 */
export function toFindings(issues: readonly ZodIssue[], root: unknown): Found[] {
  const findings = issues.flatMap((issue) => toFinding(issue, [], root));
  // What is described in the words of a later version has no use for the keys of this one.
  const later = findings.filter(({ code, at }) => code === 'NOT_SUPPORTED_YET' && at === 'key').map(parentOf);
  if (later.length === 0) return findings;
  const isLater = new Set(later);
  return findings.filter((finding) => finding.code !== 'KEY_MISSING' || !isLater.has(parentOf(finding)));
}

function parentOf({ path }: Found): string {
  return JSON.stringify(path.slice(0, -1));
}

function toFinding(issue: ZodIssue, prefix: Path, root: unknown): Found[] {
  const path = [...prefix, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  const value = valueAt(root, path);
  const key = keyName(path);
  const later = laterValue(key, value);
  if (later !== undefined) {
    return [found('NOT_SUPPORTED_YET', path, { what: `"${key}: ${later}"` })];
  }
  if (issue.code === 'unrecognized_keys') return issue.keys.map((unknown) => unknownKey(unknown, path));
  if (issue.code === 'invalid_key') return [invalidName(path)];
  if (issue.code === 'invalid_union') {
    const branch = branchFor(issue.errors);
    if (branch) return branch.flatMap((inner) => toFinding(inner, path, root));
  }
  if (value === undefined && path.length > 0) return [missing(issue, path, key)];
  const named = VALUE_CODES.find((code) => code === issue.message);
  if (named) {
    const text = renderValue(value);
    return [found(named, path, { value: text, mac: text })];
  }
  if (issue.message === 'NAME_INVALID') return [invalidName(path, renderText(value))];
  switch (issue.code) {
    case 'invalid_type':
    case 'invalid_union':
      return [found('VALUE_TYPE', path, { key, expected: expectedType(issue), got: kindOf(value) })];
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      const nearest = nearestName(renderText(value), allowed);
      return [found('VALUE_UNKNOWN', path, { key, value: renderValue(value), nearest, allowed })];
    }
    case 'too_small':
    case 'too_big':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_element':
    case 'custom':
      return [found('VALUE_RANGE', path, { key, value: renderValue(value), expected: expectedRange(issue) })];
  }
}

/** `mac`, or `nics[2]` for an item of a list. */
function keyName(path: Path): string {
  const last = path.at(-1) ?? 'the file';
  return typeof last === 'number' ? `${String(path.at(-2))}[${String(last)}]` : last;
}

/** Of a union the branch that fits the value's type, if any: its issues are inside the value. */
function branchFor(branches: readonly (readonly ZodIssue[])[]): readonly ZodIssue[] | undefined {
  return branches.find(
    (issues) => !issues.some((issue) => issue.code === 'invalid_type' && !issue.path.length),
  );
}

function unknownKey(key: string, path: Path): Found {
  const { keys, later } = objectAt(path);
  const at = [...path, key];
  if (later.includes(key)) return found('NOT_SUPPORTED_YET', at, { what: `"${key}"` }, 'key');
  return found('KEY_UNKNOWN', at, { key, nearest: nearestName(key, keys), known: keys }, 'key');
}

function objectAt(path: Path): ObjectKeys {
  const place = path.map((step, index) => (index === 1 || typeof step === 'number' ? '*' : step)).join('.');
  return OBJECTS.get(place) ?? OBJECTS.get(String(path.at(-1))) ?? { keys: [], later: [] };
}

function laterValue(key: string, value: unknown): string | undefined {
  return LATER_VALUES.get(key)?.find((later) => later === value);
}

function invalidName(path: Path, text = String(path.at(-1))): Found {
  const isDevice = path[0] === 'bridges';
  return found(
    'NAME_INVALID',
    path,
    {
      kind: kindOfName(path),
      name: text,
      rule: isDevice
        ? 'at most 15 letters, digits and _ . - @ +, beginning with a letter, a digit or _'
        : 'at most 63 letters, digits and . _ -, beginning with a letter or a digit',
    },
    path.length === 2 ? 'key' : 'value',
  );
}

function kindOfName(path: Path): string {
  if (path.length === 1) return 'topology';
  if (path.at(-1) === 'device') return 'device';
  return path[0] === 'vms' ? 'VM' : String(path[0]).slice(0, -1);
}

const MISSING_HINTS: Readonly<Record<string, string>> = {
  version: 'version: 1',
  name: 'a name for this topology',
  network: 'a name under "networks"',
  device: 'a network device such as eno1',
  kernel: 'the path of a kernel image',
  image: 'the path of an image file',
  trunk: 'the VLANs that may pass, such as [10, 20]',
};

function missing(issue: ZodIssue, path: Path, key: string): Found {
  return found('KEY_MISSING', path, { key, expected: MISSING_HINTS[key] ?? expectedType(issue) }, 'key');
}

function expectedType(issue: ZodIssue): string {
  const expected = issue.code === 'invalid_type' ? issue.expected : 'another';
  const names: Readonly<Record<string, string>> = {
    object: 'a mapping (key: value)',
    record: 'a mapping (name: …)',
    array: 'a list ([ … ])',
    string: 'text',
    int: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
  };
  return names[expected] ?? `a value of type ${expected}`;
}

function expectedRange(issue: ZodIssue): string {
  if (issue.code === 'too_small') {
    return issue.origin === 'string' ? 'something' : `at least ${String(issue.minimum)}`;
  }
  return issue.code === 'too_big' ? `at most ${String(issue.maximum)}` : issue.message;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return renderValue(value);
}

function renderText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : kindOf(value);
}

/** A value as messages quote it. */
function renderValue(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : renderText(value);
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return value;
}
