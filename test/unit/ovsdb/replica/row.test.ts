import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

const PROGRAM = `
  import { codecsOf } from './src/ovsdb/replica/codecs.ts';
  import { RowCodec } from './src/ovsdb/replica/row.ts';
  import { openVSwitch } from './src/ovsdb/generated/vswitch.ts';
  const codec = new RowCodec(codecsOf(openVSwitch).get('Port'), ['name', 'tag']);
  const row = codec.decode('u', { name: 'tap0', tag: 10 });
  let isRefused = false;
  try { row.trunks; } catch { isRefused = true; }
  console.log(JSON.stringify({ row, isFrozen: Object.isFrozen(row), isRefused, name: row.constructor.name }));
`;

describe('a row', () => {
  for (const flags of [[], ['--disallow-code-generation-from-strings']])
    it(`is plain, frozen, and guards what is not held, with node ${flags.join(' ') || 'as it is'}`, () => {
      const args = [...flags, '--import', 'tsx', '--input-type=module', '--eval', PROGRAM];
      expect(JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))).to.deep.equal({
        row: { _uuid: 'u', name: 'tap0', tag: 10 },
        isFrozen: true,
        isRefused: true,
        name: 'Port',
      });
    });
});
