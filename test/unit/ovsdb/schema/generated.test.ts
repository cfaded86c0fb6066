import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { DATABASES, generateTypes, keptMeanings } from '../../../../scripts/generate-ovsdb-types.ts';
import { meaningsInManPage, meaningsInModule } from '../../../../scripts/ovsdb-meanings.ts';
import { ovnNorthbound } from '../../../../src/ovsdb/generated/ovn-nb.ts';
import { ovnSouthbound } from '../../../../src/ovsdb/generated/ovn-sb.ts';
import { openVSwitch } from '../../../../src/ovsdb/generated/vswitch.ts';
import { rowTypes } from '../../../../src/ovsdb/schema/rowtypes.ts';
import { parseSchema } from '../../../../src/ovsdb/schema/schemafile.ts';
import { GOOD_SCHEMA } from '../../../support/schemas.ts';

const pathOf = (name: string) => new URL(`../../../../src/ovsdb/generated/${name}`, import.meta.url).pathname;
const read = (name: string) => readFileSync(pathOf(name), 'utf8');

const PAGE = `
.SH NAME
ovn\\-x \\- something
.IP "\\fBnot_yet\\fR: string"
Before any table\\[char46]
.SH "Port TABLE"
.PP
.PP
A port\\(cqs row, e\\[char46]g\\[char46] of \`\`x\\(cq\\(cq\\[char46] More\\[char46]
.SS "Summary:
.TQ 3.00in
\\fBtag\\fR
optional integer
.SS "Details:
.IP "\\fBtag\\fR: optional integer, in range 0 to 4,095"
The \\fBVLAN\\fR tag\\[char46] Or: not\\[char46]
.IP "\\fBmode\\fR: string"
One of these:
.IP "\\fBodd\\fR: string"
With an escape \\(xx that is not known\\[char46]
.IP "\\fBtag : key\\fR: optional string"
A key\\[char46]
.SH "SEE ALSO"
.IP "\\fBtail\\fR: string"
After all tables\\[char46]
`;

describe('generated row types', () => {
  for (const name of DATABASES)
    it(`of ${name} are what the generator makes of the schema`, async () => {
      const kept = keptMeanings(pathOf(`${name}.ts`));
      expect(await generateTypes(read(`${name}.ovsschema`), kept)).to.equal(read(`${name}.ts`));
    });

  it('carry the schema that is read at run time', () => {
    for (const [name, schema] of [
      ['vswitch', openVSwitch],
      ['ovn-nb', ovnNorthbound],
      ['ovn-sb', ovnSouthbound],
    ] as const)
      expect(parseSchema(JSON.parse(read(`${name}.ovsschema`)))).to.deep.equal(schema);
  });

  it('say what tables and columns mean, from the manual page', () => {
    expect([...meaningsInManPage(PAGE)]).to.deep.equal([
      ['Port', 'A port\'s row, e.g. of "x".'],
      ['Port.tag', 'The VLAN tag.'],
      ['Port.mode', 'One of these.'],
    ]);
  });

  it('have a type and a note for everything that a schema can say', () => {
    const text = rowTypes(parseSchema(GOOD_SCHEMA), { importFrom: 'vswitchboard/ovsdb' });
    for (const line of [
      'import type { DatabaseSchema, Uuid } from "vswitchboard/ovsdb";',
      'readonly name: string;',
      'readonly small: number;',
      'readonly wide: bigint | undefined;',
      'readonly half: bigint;',
      'readonly share: readonly number[];',
      'readonly mode: "a" | "b" | undefined;',
      'readonly only: "x" | undefined;',
      'readonly step: 1 | 2 | undefined;',
      'readonly any: readonly Uuid[];',
      "readonly strong: readonly Uuid<'Leaf'>[];",
      "readonly weak: ReadonlyMap<string, Uuid<'Leaf'>>;",
      ' * No two rows have the same name, small.',
      ' * At most 7 rows.',
      ' * Length: From 1 to 9.',
      ' * Given at insert only.',
      '/** From 0 to 4095. */',
      '/** Not kept over a restart of the server. */',
      '/** Does not keep the rows that it names. */',
      'export const good: DatabaseSchema<GoodTables> = {',
    ])
      expect(
        text.split('\n').some((own) => own.includes(line)),
        line,
      ).to.equal(true);
  });

  it('keep the meanings when they are made without the page', async () => {
    const schema = JSON.stringify({
      name: 'Test',
      version: '1.0.0',
      tables: {
        Port: {
          columns: {
            tag: { type: { key: { type: 'integer', minInteger: 0, maxInteger: 9 } } },
            mode: { type: 'string', ephemeral: true },
            plain: { type: 'string' },
          },
          maxRows: 1,
          indexes: [['tag']],
        },
      },
    });
    const meanings = meaningsInManPage(PAGE);
    const text = await generateTypes(schema, meanings);
    expect(text).to.include('export const test: DatabaseSchema<TestTables>');
    expect(meaningsInModule(text)).to.deep.equal(meanings);
    expect(meaningsInModule(await generateTypes(schema, new Map()))).to.deep.equal(new Map());
  });
});
