/** Metrics text as python's prometheus_client reads it: somebody else's strict reading of the format. */
import { runOrFail } from '../../../src/process/run.ts';

/** A line of the text. */
export interface ReadSeries {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadMetrics {
  /** Name → type, as the parser has them. */
  readonly types: ReadonlyMap<string, string>;
  readonly series: readonly ReadSeries[];
}

const READ = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
parse = openmetrics if sys.argv[1] == 'openmetrics' else prometheus
families = list(parse(sys.stdin.read()))
json.dump({
  'types': [[f.name, f.type] for f in families],
  'series': [{'name': s.name, 'labels': s.labels, 'value': s.value} for f in families for s in f.samples],
}, sys.stdout)
`;

/** Fails the test where the parser refuses the text. */
export async function readMetrics(
  text: string,
  format: 'prometheus' | 'openmetrics' = 'prometheus',
): Promise<ReadMetrics> {
  const args = ['-c', READ, format];
  const output = await runOrFail('/usr/bin/python3', args, { timeoutMs: 20_000, input: text });
  const read = JSON.parse(output) as { types: [string, string][]; series: ReadSeries[] };
  return { types: new Map(read.types), series: read.series };
}
