/** What docs/metrics.md says that there is. */
import { readFileSync } from 'node:fs';

/** Names of metrics, with their types, as the tables have them. */
export function documentedMetrics(): ReadonlyMap<string, string> {
  const rows = readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `([a-z_]+)` \| (\w+) \|/gm);
  return new Map(Array.from(rows, ([, name = '', type = '']) => [name, type]));
}
