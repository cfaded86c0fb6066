/** `ovsdb-client dump` as an oracle: one process for each question, so what it says is what the server has now. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Schema } from '../../differential/schemas.ts';
import { rowText, wireElements, type Content, type Held } from './content.ts';
import { parseLossless } from './losslessjson.ts';

const run = promisify(execFile);

interface Dumped {
  readonly caption: string;
  readonly headings: readonly string[];
  readonly data: readonly (readonly unknown[])[];
}

/** The content of a database by ovsdb-client(1). */
export async function dumpWithOvsdbClient(remote: string, schema: Schema, held: Held): Promise<Content> {
  const { stdout } = await run(
    'ovsdb-client',
    ['--timeout=20', 'dump', '--format=json', remote, schema.name],
    {
      maxBuffer: 1 << 28,
    },
  );
  const content = new Map<string, ReadonlyMap<string, string>>();
  for (const line of stdout.trim().split('\n')) {
    const { caption, headings, data } = parseLossless(line) as Dumped;
    const name = caption.replace(/ table$/, '');
    const [table, columns] = [schema.tables[name], held[name]];
    if (!table || !columns) continue;
    const rows = data.map((cells) => {
      const row = Object.fromEntries(headings.map((heading, index) => [heading, cells[index]]));
      return [String((row['_uuid'] as unknown[])[1]), rowText(table, columns, row, wireElements)] as const;
    });
    content.set(name, new Map(rows));
  }
  return content;
}
