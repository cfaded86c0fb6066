/** `vsb validate` and `vsb schema`: what a topology file may say, and whether files do. */
import { FORMAT_VERSION } from '../units/formatversion.ts';
import type { Issue } from '../topology/issues.ts';
import { renderIssue } from '../topology/issues.ts';
import { readTopologyFile } from './topology.ts';

export { topologyJsonSchema } from '../topology/schema.ts';

/** What became of one file. `issues` is empty where it is well. */
export interface FileReport {
  readonly file: string;
  readonly ok: boolean;
  readonly issues: readonly Issue[];
  /** How many there are of each; `undefined` where the file has issues. */
  readonly counts: { bridges: number; networks: number; vms: number; nics: number } | undefined;
}

/**
 * Checks a topology file.
 * @throws FILE_UNREADABLE
 */
export async function validateFile(file: string): Promise<FileReport> {
  const result = await readTopologyFile(file);
  if (!result.ok) return { file, ok: false, issues: result.issues, counts: undefined };
  const { bridges, networks, vms } = result.topology.document;
  const guests = Object.values(vms ?? {});
  return {
    file,
    ok: true,
    issues: [],
    counts: {
      bridges: Object.keys(bridges ?? {}).length,
      networks: Object.keys(networks ?? {}).length,
      vms: guests.length,
      nics: guests.reduce((sum, vm) => sum + (vm?.nics?.length ?? 0), 0),
    },
  };
}

/** The lines of a report: each issue, or that there is none. */
export function renderReport({ file, issues, counts }: FileReport): string[] {
  if (!counts) return issues.map((issue) => renderIssue(issue, file));
  const things = [
    plural(counts.bridges, 'bridge'),
    plural(counts.networks, 'network'),
    plural(counts.vms, 'VM'),
    plural(counts.nics, 'NIC'),
  ];
  return [`${file}: ok, ${things.join(', ')}`];
}

/** The same as data, for `-o json`; `formatVersion` grows by a minor step where something is added. */
export function toReportDocument(reports: readonly FileReport[]): unknown {
  return {
    formatVersion: FORMAT_VERSION,
    files: reports.map(({ file, ok, issues }) => ({ file, ok, issues })),
  };
}

function plural(count: number, word: string): string {
  return `${String(count)} ${word}${count === 1 ? '' : 's'}`;
}
