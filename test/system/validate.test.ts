import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vsb } from '../support/cli.ts';

const BAD = `version: 1
name: bad
bridges: { br0: { datapth: netdev } }
networks: { web: { bridge: br1 } }
`;

describe('vsb validate', function () {
  // Each run loads the TypeScript sources anew.
  this.timeout(60_000);
  let directory = '';

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vsb-validate-'));
    await writeFile(join(directory, 'bad.yaml'), BAD);
    await writeFile(join(directory, 'good.yaml'), 'version: 1\nname: good\nbridges: { br0: }\n');
  });

  after(() => rm(directory, { recursive: true }));

  it('says of each example what is in it', async () => {
    const result = await vsb(['validate', 'topologies/two-tier.vsb.yaml', 'topologies/minimal.vsb.yaml']);
    expect(result).to.include({ status: 0, stderr: '' });
    expect(result.stdout).to.equal(
      'topologies/two-tier.vsb.yaml: ok, 1 bridge, 2 networks, 3 VMs, 5 NICs\n' +
        'topologies/minimal.vsb.yaml: ok, 1 bridge, 1 network, 2 VMs, 2 NICs\n',
    );
  });

  it('prints every issue with its place, and ends with 78', async () => {
    const result = await vsb(['validate', 'good.yaml', 'bad.yaml'], { cwd: directory });
    expect(result.status).to.equal(78);
    expect(result.stdout).to.equal('good.yaml: ok, 1 bridge, 0 networks, 0 VMs, 0 NICs\n');
    expect(result.stderr).to.equal(
      'bad.yaml:3:19: error[KEY_UNKNOWN]: Unknown key "datapth". Did you mean "datapath"?\n' +
        'bad.yaml:4:28: error[NAME_UNKNOWN]: There is no bridge "br1" in this file. Did you mean "br0"?\n',
    );
  });

  it('prints the same as JSON', async () => {
    const result = await vsb(['validate', '-o', 'json', 'bad.yaml', 'good.yaml'], { cwd: directory });
    expect(result).to.include({ status: 78, stderr: '' });
    expect(JSON.parse(result.stdout)).to.deep.equal({
      formatVersion: '1.0',
      files: [
        {
          file: 'bad.yaml',
          ok: false,
          issues: [
            {
              code: 'KEY_UNKNOWN',
              message: 'Unknown key "datapth". Did you mean "datapath"?',
              line: 3,
              column: 19,
              path: ['bridges', 'br0', 'datapth'],
            },
            {
              code: 'NAME_UNKNOWN',
              message: 'There is no bridge "br1" in this file. Did you mean "br0"?',
              line: 4,
              column: 28,
              path: ['networks', 'web', 'bridge'],
            },
          ],
        },
        { file: 'good.yaml', ok: true, issues: [] },
      ],
    });
  });

  it('ends with 1 where a file cannot be read, and 64 where none is named', async () => {
    const missing = await vsb(['validate', 'none.yaml'], { cwd: directory });
    expect(missing.status).to.equal(1);
    expect(missing.stderr).to.match(
      /error\[FILE_UNREADABLE\]: Cannot read "none\.yaml": there is no such file\./,
    );
    expect((await vsb(['validate'])).status).to.equal(64);
  });
});

describe('vsb schema', function () {
  this.timeout(60_000);

  it('prints a JSON Schema', async () => {
    const result = await vsb(['schema']);
    expect(result).to.include({ status: 0, stderr: '' });
    expect(JSON.parse(result.stdout)).to.deep.include({
      title: 'vswitchboard topology',
      $schema: 'https://json-schema.org/draft/2020-12/schema',
    });
  });
});
