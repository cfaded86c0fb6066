import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { generateTypes } from '../../../scripts/generate-ovsdb-types.ts';

const read = (name: string) =>
  readFileSync(new URL(`../../../src/ovsdb/generated/${name}`, import.meta.url), 'utf8');

describe('generated row types', () => {
  it('are what the generator makes of the schema', async () => {
    expect(await generateTypes(read('vswitch.ovsschema'))).to.equal(read('vswitch.ts'));
  });
});
