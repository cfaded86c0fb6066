/** Topology files, from the disk to the desired state. The way of every verb that takes a FILE. */
import { readFile } from 'node:fs/promises';
import { resolve as toAbsolute } from 'node:path';
import { fail } from '../errors.ts';
import type { DesiredState } from '../topology/desired.ts';
import { renderIssue } from '../topology/issues.ts';
import { readTopology, type ReadResult } from '../topology/read.ts';
import { resolve } from '../topology/resolve.ts';

/**
 * Reads and resolves a topology file.
 * @throws FILE_UNREADABLE; TOPOLOGY_INVALID with all issues: as lines in the message, as data in `details.issues`.
 */
export async function loadTopology(path: string): Promise<DesiredState> {
  const result = await readTopologyFile(path);
  if (result.ok) return resolve(result.topology);
  const { issues } = result;
  const lines = issues.map((issue) => renderIssue(issue, path));
  const count = issues.length === 1 ? '1 issue' : `${String(issues.length)} issues`;
  throw fail('TOPOLOGY_INVALID', { path, issues, report: [...lines, `${count} in ${path}.`].join('\n') });
}

/**
 * Reads a topology file.
 * @throws FILE_UNREADABLE
 */
export async function readTopologyFile(path: string): Promise<ReadResult> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (thrown) {
    throw fail('FILE_UNREADABLE', { path, why: whyUnreadable(thrown) }, { cause: thrown });
  }
  return readTopology(text, toAbsolute(path));
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
};

function whyUnreadable(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const code = 'code' in thrown ? String(thrown.code) : '';
  return REASONS[code] ?? thrown.message;
}
