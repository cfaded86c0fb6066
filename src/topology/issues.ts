/**
 * Issues: what is wrong with a topology file, where, and what to do about it. Codes and messages are in src/errors.ts;
 * who finds what is for decode.ts (one value) and check.ts (values that do not fit together).
 */
import { fail, type ErrorCode, type ErrorDetails } from '../errors.ts';
import type { DuplicateKey, Path, PointAt, YamlDocument } from './yaml.ts';

/** One thing that is wrong with a topology file. */
export interface Issue {
  readonly code: ErrorCode;
  readonly message: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** Keys and indexes from the root: `['vms', 'web1', 'nics', 0, 'mac']`. */
  readonly path: Path;
}

/** An issue before its place in the text is known. */
export interface Found {
  readonly code: ErrorCode;
  readonly path: Path;
  readonly at: PointAt;
  readonly message: (lineOf: (path: Path, at: PointAt) => number) => string;
}

/** Makes a finding: what its message needs is given, or made from the lines of other places. */
export function found<C extends ErrorCode>(
  code: C,
  path: Path,
  details: ErrorDetails<C> | DetailsMaker<ErrorDetails<C>>,
  at: PointAt = 'value',
): Found {
  return { code, path, at, message: (lineOf) => fail(code, madeOf(details, lineOf)).message };
}

type LineOf = (path: Path, at: PointAt) => number;
type DetailsMaker<D> = (lineOf: LineOf) => D;

/** Apart, since the type of all details at once is too much for the compiler to narrow. */
function madeOf<D>(details: D | DetailsMaker<D>, lineOf: LineOf): D {
  return typeof details === 'function' ? (details as DetailsMaker<D>)(lineOf) : details;
}

/** Puts findings in their places, and duplicate keys among them; sorted by place. */
export function toIssues(
  findings: readonly Found[],
  duplicates: readonly DuplicateKey[],
  document: YamlDocument,
): Issue[] {
  const lineOf = (path: Path, at: PointAt): number => document.placeOf(path, at).line;
  const placed = findings.map(({ code, path, at, message }): Issue => ({
    code,
    message: message(lineOf),
    ...document.placeOf(path, at),
    path,
  }));
  const repeated = duplicates.map(({ path, place, first }): Issue => {
    const { message } = fail('KEY_DUPLICATE', { key: String(path.at(-1)), line: first.line });
    return { code: 'KEY_DUPLICATE', message, ...place, path };
  });
  return [...placed, ...repeated].sort(
    (a, b) => a.line - b.line || a.column - b.column || compare(a.message, b.message),
  );
}

/** `FILE:LINE:COL: error[CODE]: what, and what to do`, as compilers write it, so that editors can jump there. */
export function renderIssue(issue: Issue, file: string): string {
  return `${file}:${String(issue.line)}:${String(issue.column)}: error[${issue.code}]: ${issue.message}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
