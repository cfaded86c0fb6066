import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSchema } from '../../src/ovsdb/schema/schemafile.ts';
import { OvsdbServer } from '../support/ovsdb.ts';
import { BAD_SCHEMAS, GOOD_SCHEMA } from '../support/schemas.ts';

describe('a schema at run time, beside ovsdb-tool', () => {
  let directory: string;
  const path = (name: string) => join(directory, name);

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'vsb-schema-'));
  });

  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('is one where ovsdb-tool says so', () => {
    writeFileSync(path('good.ovsschema'), JSON.stringify(GOOD_SCHEMA));
    execFileSync('ovsdb-tool', ['schema-name', path('good.ovsschema')]);
  });

  it('is the same in the file and in what a server tells of it', async () => {
    const tables = { A: { columns: { c: { type: 'string' } } } };
    const rootless = { name: 'Rootless', version: '1.0.0', tables };
    for (const schema of [GOOD_SCHEMA, rootless]) {
      const schemaPath = path(`${schema.name}.ovsschema`);
      writeFileSync(schemaPath, JSON.stringify(schema));
      await using server = await OvsdbServer.start({ schemaPath, init: false });
      const told: unknown = JSON.parse(await server.client('get-schema', server.remote, schema.name));
      expect(parseSchema(told)).to.deep.equal(parseSchema(schema));
    }
  });

  for (const [what, schema] of BAD_SCHEMAS)
    it(`is refused by ovsdb-tool too: ${what}`, () => {
      writeFileSync(path('bad.ovsschema'), JSON.stringify(schema));
      const { status, stderr } = spawnSync('ovsdb-tool', ['schema-name', path('bad.ovsschema')], {
        encoding: 'utf8',
      });
      expect(status, stderr).to.not.equal(0);
    });
});
