/** python's ovs.db.idl (Debian's python3-openvswitch) as an oracle: one process that holds any number of replicas. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CONTROL, type Column, type Schema } from '../../differential/schemas.ts';
import { realText, rowText, type Content, type Held } from './content.ts';

const PROGRAM = fileURLToPath(new URL('idl_oracle.py', import.meta.url));

/** Its IDL tries again every 8 s at most. */
const LIMIT_MS = 20_000;

interface Reply {
  readonly id: number;
  readonly content?: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly complaints?: readonly string[];
}

/** What a replica of python's holds, and what python said that it could not take. */
export interface IdlDump {
  readonly content: Content;
  readonly complaints: readonly string[];
}

export class PythonIdl implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, { resolve: (reply: Reply) => void; reject: (cause: Error) => void }>();
  #nextId = 1;
  #complaint = '';

  constructor() {
    // Debian's own python, whatever other one is in PATH.
    this.#process = spawn('/usr/bin/python3', [PROGRAM], { stdio: 'pipe' });
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-4000);
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      const reply = JSON.parse(line) as Reply;
      this.#waiting.get(reply.id)?.resolve(reply);
      this.#waiting.delete(reply.id);
    });
    // It ended: 'exit' tells.
    this.#process.stdin.on('error', () => undefined);
    this.#process.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`python ended: ${this.#complaint}`));
    });
  }

  /** Makes a replica with a name. Several remotes are those of a cluster, whose leader is followed. */
  async open(name: string, remotes: readonly string[], schemaText: string): Promise<void> {
    const request = { open: name, remote: remotes.join(','), leaderOnly: remotes.length > 1 };
    await this.#ask(request, `,"schema":${schemaText}`);
  }

  /** The replica's content once it has seen the transaction that set the counter to `until`. */
  async dump(name: string, schema: Schema, held: Held, until: number): Promise<IdlDump> {
    const reply = await this.#ask({ dump: name, table: CONTROL, column: 'counter', until });
    const content = new Map<string, ReadonlyMap<string, string>>();
    for (const [tableName, columns] of Object.entries(held)) {
      const table = schema.tables[tableName];
      const rows = Object.entries(reply.content?.[tableName] ?? {});
      if (table)
        content.set(
          tableName,
          new Map(rows.map(([uuid, row]) => [uuid, rowText(table, columns, row, elementsOf)])),
        );
    }
    return { content, complaints: reply.complaints ?? [] };
  }

  async close(name: string): Promise<void> {
    await this.#ask({ close: name });
  }

  #ask(request: object, more = ''): Promise<Reply> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#process.exitCode !== null) throw new Error(`python ended: ${this.#complaint}`);
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer of python to ${JSON.stringify(request)}: ${this.#complaint}`));
      }, LIMIT_MS);
      this.#waiting.set(id, {
        resolve: (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
        reject: (cause) => {
          clearTimeout(timer);
          reject(cause);
        },
      });
      const text = JSON.stringify({ ...request, id });
      this.#process.stdin.write(`${text.slice(0, -1)}${more}}\n`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }
}

function elementsOf(column: Column, value: unknown): string[] {
  return (value as readonly (readonly [string, string?])[]).map(([key, member]) => {
    const text = atomText(column.key.type, key);
    return column.value === undefined ? text : `${text}: ${atomText(column.value.type, member ?? '')}`;
  });
}

function atomText(type: string, text: string): string {
  return type === 'real' ? realText(Number(text)) : type === 'string' ? JSON.stringify(text) : text;
}

/** Columns that python's IDL can hold: the default of a map that is never empty is an Atom in an Atom there (3.1). */
export function heldByPython(schema: Schema): Held {
  return Object.fromEntries(
    Object.entries(schema.tables).map(([name, { columns }]) => [
      name,
      Object.entries(columns).flatMap(([column, { value, min }]) =>
        value !== undefined && min === 1 ? [] : [column],
      ),
    ]),
  );
}
