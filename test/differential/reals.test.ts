/**
 * Reals beyond the 15 digits that ovsdb-server prints: what random steps leave out, because python's IDL does not take a
 * difference in which two of them look the same.
 */
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OvsdbClient } from '../../src/ovsdb/client/client.ts';
import { parseSchema } from '../../src/ovsdb/schema/schemafile.ts';
import { Transaction } from '../../src/ovsdb/transaction/transaction.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { TEST_LIMITS } from '../support/ovsdbclient.ts';
import { difference, everything } from '../support/peers/content.ts';
import { dumpWithOvsdbClient } from '../support/peers/ovsdbclient.ts';
import { RawOvsdb } from '../support/peers/rawovsdb.ts';
import { contentOf } from './ours.ts';
import { schemaText, type Column, type Schema } from './schemas.ts';

const REAL: Column = { key: { type: 'real' }, min: 1, max: 1, isMutable: true, isEphemeral: false };
const SCHEMA: Schema = {
  name: 'Reals',
  version: '1.0.0',
  tables: {
    T: {
      isRoot: true,
      columns: { one: REAL, some: { ...REAL, min: 0, max: 'unlimited' } },
      indexes: [],
    },
  },
};

async function serve(): Promise<OvsdbServer> {
  const directory = mkdtempSync(join(tmpdir(), 'vsb-schema-'));
  try {
    const schemaPath = join(directory, 'reals.ovsschema');
    writeFileSync(schemaPath, schemaText(SCHEMA));
    return await OvsdbServer.start({ schemaPath, init: false });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('reals', () => {
  it('stay what the server shows of them, also where two in a set look the same', async () => {
    await using server = await serve();
    const ours = parseSchema(JSON.parse(schemaText(SCHEMA)));
    const held = everything(SCHEMA);
    await using client = await OvsdbClient.connect({
      ...TEST_LIMITS,
      remote: server.remote,
      schema: ours,
      columns: held,
    });
    const looksLikeIt = 0.333333333333333;
    const sets = [[1 / 3], [looksLikeIt], [0.1], [looksLikeIt, 0.5], [1 / 3, 0.5, 0.1 + 0.2], [0.3], []];
    const first = new Transaction(ours);
    first.insert('T', {});
    await client.transact(first);
    for (const some of sets) {
      const transaction = new Transaction(ours);
      transaction.update('T', [], { some, one: some[0] ?? -1e-300 });
      expect((await client.transact(transaction)).outcome).to.equal('success');
      const truth = await dumpWithOvsdbClient(server.remote, SCHEMA, held);
      expect(difference(contentOf(client.snapshot(), SCHEMA, held), truth)).to.equal(undefined);
    }
  });

  it('that nobody could read back are not sent', async () => {
    await using server = await serve();
    const ours = parseSchema(JSON.parse(schemaText(SCHEMA)));
    const edges = ['1.79769313486231e308', '-1.79769313486231e308', '2.2250738585073e-308'];
    for (const text of edges) {
      const transaction = new Transaction(ours);
      transaction.insert('T', { one: Number(text) });
      await using raw = await RawOvsdb.open(server.socketPath);
      const reply = await raw.request('transact', JSON.stringify(['Reals', ...transaction.operations]));
      expect(reply.error).to.equal(null);
      await dumpWithOvsdbClient(server.remote, SCHEMA, everything(SCHEMA));
    }
    for (const real of [Number.MAX_VALUE, 5e-324, 2.2250738585072014e-308])
      expect(() => new Transaction(ours).insert('T', { one: real }), String(real)).to.throw(
        'cannot read back',
      );
    expect(server.log()).to.not.include('error parsing stream');
  });
});
