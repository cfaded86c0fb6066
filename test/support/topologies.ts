/** Topologies for tests, from text. */
import type { DesiredState } from '../../src/topology/desired.ts';
import type { Issue } from '../../src/topology/issues.ts';
import { readTopology } from '../../src/topology/read.ts';
import { resolve } from '../../src/topology/resolve.ts';

const FILE = '/srv/site/site.vsb.yaml';

/** The desired state of a text; throws where it has issues. */
export function desiredOf(text: string): DesiredState {
  const result = readTopology(text, FILE);
  if (!result.ok) throw new Error(result.issues.map((issue) => issue.message).join('\n'));
  return resolve(result.topology);
}

/** The issues of a text; none where it is well. */
export function issuesOf(text: string): readonly Issue[] {
  const result = readTopology(text, FILE);
  return result.ok ? [] : result.issues;
}

/** Issues as `LINE:COL CODE`. */
export function placesOf(text: string): string[] {
  return issuesOf(text).map(({ line, column, code }) => `${String(line)}:${String(column)} ${code}`);
}
