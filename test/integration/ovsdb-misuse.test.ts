/** What a beginner gets wrong, also from JavaScript, where no compiler says so: each is told by name. */
import { expect } from 'chai';
import {
  openVSwitch,
  OvsdbClient,
  ovnNorthbound,
  parseSchema,
  rowIndex,
  Transaction,
  VsbError,
  waitForCurCfg,
  type DatabaseSchema,
  type GenericTables,
  type TlsFiles,
} from '../../src/ovsdb/index.ts';
import { OvsdbServer } from '../support/ovsdb.ts';

describe('misuse of the OVSDB client', () => {
  const columns = { Bridge: ['name'] } as const;

  it('tells a remote that is missing, and a table that does not exist', async () => {
    const none = { schema: openVSwitch, columns } as unknown as Parameters<typeof OvsdbClient.connect>[0];
    expect((await failureOf(() => OvsdbClient.connect(none))).code).to.equal('REMOTES_MIXED');
    const wrong: object = { Bridges: ['name'] };
    const failure = await failureOf(() =>
      OvsdbClient.connect({ remote: 'unix:/nowhere', schema: openVSwitch, columns: wrong }),
    );
    expect(failure.code).to.equal('OVSDB_UNKNOWN_COLUMN');
    expect(failure.message).to.include('no table "Bridges"');
  });

  it('tells a table from a column in indexes and transactions', async () => {
    const index = rowIndex as unknown as (...parts: readonly unknown[]) => unknown;
    expect((await failureOf(() => index(openVSwitch, 'Interfaces', 'name'))).message).to.include(
      'no table "Interfaces"',
    );
    expect((await failureOf(() => index(openVSwitch, 'Interface', 'nam'))).message).to.include(
      'no column "Interface.nam"',
    );
    const transaction = new Transaction(parseSchema({ name: 'X', tables: {} }));
    expect((await failureOf(() => transaction.insert('Prt', { name: 'x' }))).message).to.include(
      'no table "Prt"',
    );
  });

  it('says which file of TLS is not given', async () => {
    const tls = {} as TlsFiles;
    const failure = await failureOf(() =>
      OvsdbClient.connect({ remote: 'ssl:127.0.0.1', schema: openVSwitch, columns, tls }),
    );
    expect(failure.code).to.equal('TLS_FILE_INVALID');
    expect(failure.message).to.include('private key').and.to.include('no path is given');
  });

  it('says that a schema is wanted parsed', async () => {
    const raw = JSON.parse(
      '{"name":"X","version":"","tables":{"T":{"columns":{"c":{"type":"string"}}}}}',
    ) as DatabaseSchema<GenericTables>;
    expect((await failureOf(() => new Transaction(raw))).message).to.include('parseSchema');
    expect((await failureOf(() => parseSchema('{}'))).message).to.include('JSON.parse');
  });

  it('takes no transaction of another database, waits for what is held only, and for comparisons', async () => {
    await using server = await OvsdbServer.start();
    await using client = await OvsdbClient.connect({ remote: server.remote, schema: openVSwitch, columns });
    const foreign = new Transaction(ovnNorthbound) as unknown as Transaction<never>;
    const failure = await failureOf(() => client.transact(foreign));
    expect(failure.code).to.equal('OVSDB_OTHER_DATABASE');
    expect((await failureOf(() => waitForCurCfg(client, 1n, { timeoutMs: 5000 }))).code).to.equal(
      'OVSDB_COLUMN_NOT_HELD',
    );
    const waiting = client.waitFor((snapshot) => snapshot.table('Bridge').size === 1, { timeoutMs: 5000 });
    await server.vsctl('add-br', 'br0');
    expect(await waiting).to.equal(true);
    expect(client.snapshot().table('Bridge').size).to.equal(1);
  });
});

async function failureOf(act: () => unknown): Promise<VsbError> {
  try {
    await act();
  } catch (cause) {
    if (cause instanceof VsbError) return cause;
    throw cause;
  }
  throw new Error('it did not fail');
}
