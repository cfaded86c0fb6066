/** Each mistake in a topology, as a person meets it at the command line: its code, its place, what to do, and no more. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { vsb } from '../support/cli.ts';

const HEAD = `version: 1
name: lab
bridges: { br0: { datapath: netdev } }
networks: { web: { bridge: br0, vlan: 10, cidr: 10.1.0.0/24 } }
`;

/** `at` is LINE:COLUMN; `says` is the part of the message that names what was written. */
const MISTAKES: readonly { what: string; text: string; at: string; code: string; says: string }[] = [
  {
    what: 'broken YAML',
    text: `${HEAD}vms: { a: { nics: [ { network: web } ] }\n`,
    at: '6:1',
    code: 'YAML_SYNTAX',
    says: 'brackets',
  },
  {
    what: 'an unknown key',
    text: `${HEAD}vms: { a: { nics: [ { network: web, modl: virtio } ] } }\n`,
    at: '5:37',
    code: 'KEY_UNKNOWN',
    says: 'Did you mean "model"?',
  },
  {
    what: 'a MAC that is there twice',
    text: `${HEAD}vms:
  a: { nics: [ { network: web, mac: 52:54:00:00:00:01 } ] }
  b: { nics: [ { network: web, mac: 52-54-00-00-00-01 } ] }\n`,
    at: '7:37',
    code: 'MAC_DUPLICATE',
    says: 'NIC a:0 (line 6)',
  },
  {
    what: 'an address that is there twice',
    text: `${HEAD}vms:
  a: { nics: [ { network: web, ip: 10.1.0.5 } ] }
  b: { nics: [ { network: web, ip: 10.1.0.5 } ] }\n`,
    at: '7:36',
    code: 'IP_DUPLICATE',
    says: 'NIC a:0',
  },
  {
    what: 'VLAN 4096',
    text: `${HEAD}vms: { a: { nics: [ { network: web, vlan: 4096 } ] } }\n`,
    at: '5:43',
    code: 'VLAN_INVALID',
    says: '4096 is no VLAN id',
  },
  {
    what: 'an address outside its network',
    text: `${HEAD}vms: { a: { nics: [ { network: web, ip: 10.9.0.5 } ] } }\n`,
    at: '5:41',
    code: 'IP_OUTSIDE_NETWORK',
    says: 'from 10.1.0.1 to 10.1.0.254',
  },
  {
    what: 'an empty trunk',
    text: `${HEAD}vms: { a: { nics: [ { network: web, vlan: { trunk: [] } } ] } }\n`,
    at: '5:52',
    code: 'TRUNK_EMPTY',
    says: 'names no VLAN',
  },
  {
    what: 'a bridge that is not in the file',
    text: HEAD.replace('bridge: br0', 'bridge: uplink9'),
    at: '4:28',
    code: 'NAME_UNKNOWN',
    says: 'no bridge "uplink9"',
  },
  {
    what: 'a bridge whose name no device can have',
    text: 'version: 1\nname: lab\nbridges: { a-name-of-more-than-15-bytes: }\n',
    at: '3:12',
    code: 'NAME_INVALID',
    says: 'at most 15',
  },
  { what: 'an empty file', text: '', at: '1:1', code: 'VALUE_TYPE', says: 'is empty' },
  {
    what: 'a file that is no text',
    text: '\x7fELF\x02\x01\x01\0\0\0',
    at: '1:8',
    code: 'YAML_SYNTAX',
    says: 'not allowed',
  },
];

describe('a mistake in a topology', function () {
  // Each run loads the TypeScript sources anew.
  this.timeout(60_000);
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vsb-mistakes-'));
  });

  after(() => rm(directory, { recursive: true }));

  for (const { what, text, at, code, says } of MISTAKES) {
    it(`is told with its place: ${what}`, async () => {
      await writeFile(join(directory, 'lab.vsb.yaml'), text);
      // There is no Open vSwitch to speak to: the file is judged before.
      const { status, stdout, stderr } = await vsb(
        ['apply', 'lab.vsb.yaml', '--yes', '--remote', `unix:${directory}/none.sock`],
        { cwd: directory },
      );
      expect({ status, stdout }).to.deep.equal({ status: 78, stdout: '' });
      const [issue, count, ...rest] = stderr.trimEnd().split('\n');
      expect(issue)
        .to.match(new RegExp(`^lab\\.vsb\\.yaml:${at}: error\\[${code}\\]: `))
        .and.contain(says);
      expect({ count, rest }, 'nothing else, no stack trace').to.deep.equal({
        count: '1 issue in lab.vsb.yaml.',
        rest: [],
      });
    });
  }

  it('is not a long name of a VM: its device gets a shorter one', async () => {
    const vm = 'a-name-of-more-than-15-bytes';
    await writeFile(
      join(directory, 'long.vsb.yaml'),
      `${HEAD}vms: { ${vm}: { nics: [ { network: web } ] } }\n`,
    );
    const result = await vsb(['validate', 'long.vsb.yaml'], { cwd: directory });
    expect(result).to.deep.equal({
      status: 0,
      stdout: 'long.vsb.yaml: ok, 1 bridge, 1 network, 1 VM, 1 NIC\n',
      stderr: '',
    });
  });

  it('is told too where the file cannot be read: none, a directory, one of somebody else', async () => {
    await chmod(directory, 0o755);
    await mkdir(join(directory, 'dir.vsb.yaml'));
    const unreadable = [
      { file: '/nonexistent/lab.vsb.yaml', why: 'there is no such file' },
      { file: join(directory, 'dir.vsb.yaml'), why: 'it is a directory' },
      { file: '/proc/1/environ', why: 'permission denied' },
    ];
    for (const { file, why } of unreadable) {
      const { status, stdout, stderr } = await vsb(['plan', file], {
        wrapper: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'],
      });
      expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' });
      expect(stderr).to.equal(
        `vsb: error[FILE_UNREADABLE]: Cannot read "${file}": ${why}. Check the path and its permissions.\n`,
      );
    }
  });
});
