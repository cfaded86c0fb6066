import { expect } from 'chai';
import fc from 'fast-check';
import { errorCodes } from '../../../src/errors.ts';
import { renderIssue } from '../../../src/topology/issues.ts';
import { issuesOf, placesOf } from '../../support/topologies.ts';

/** A file with two networks around the lines of one VM's NICs; the first of them is in line 7. */
function withNics(...nics: readonly string[]): string {
  const head = `version: 1
name: site
bridges: { br0: }
networks: { web: { bridge: br0, vlan: 10, cidr: 10.1.0.0/24 }, bare: { bridge: br0 } }
vms:
  web1: { nics: [
`;
  return `${head}${nics.map((nic) => `    ${nic},\n`).join('')}    ] }\n`;
}

/** A file with these lines below the two that every file has; the first of them is line 3. */
function withLines(...lines: readonly string[]): string {
  return ['version: 1', 'name: site', ...lines, ''].join('\n');
}

function messagesOf(text: string): string[] {
  return issuesOf(text).map(({ message }) => message);
}

describe('topology/read: what is well', () => {
  it('needs no more than version and name', () => {
    expect(issuesOf('version: 1\nname: site\n')).to.deep.equal([]);
  });

  it('takes empty sections and entries as all defaults', () => {
    expect(
      placesOf(withLines('bridges: { br0: }', 'networks:', 'profiles: { p: }', 'vms: { a: , b: { nics: } }')),
    ).to.deep.equal([]);
  });
});

describe('topology/read: the shape', () => {
  it('refuses what is no YAML, and a file that is no mapping', () => {
    expect(placesOf('a: [1')).to.deep.equal(['1:6 YAML_SYNTAX']);
    expect(placesOf('')).to.deep.equal(['1:1 VALUE_TYPE']);
    expect(placesOf('- 1')).to.deep.equal(['1:1 VALUE_TYPE']);
    expect(messagesOf('- 1')[0]).to.equal('"the file" is a list. Write a mapping (key: value) instead.');
  });

  it('names what is missing', () => {
    expect(placesOf('name: site')).to.deep.equal(['1:1 KEY_MISSING']);
    expect(placesOf(withLines('networks:', '  web: {}'))).to.deep.equal(['4:3 NETWORK_WITHOUT_BRIDGE']);
    expect(placesOf(withNics('{}'))).to.deep.equal(['7:5 KEY_MISSING']);
    expect(messagesOf(withNics('{}'))).to.deep.equal([
      '"network" is missing. Add it: a name under "networks".',
    ]);
  });

  it('refuses another version', () => {
    expect(placesOf('version: 2\nname: site')).to.deep.equal(['1:10 VALUE_UNKNOWN']);
  });

  it('points at unknown keys, and knows what was meant', () => {
    const text = withLines('bridges:', '  br0:', '    datapth: netdev', '    colour: red');
    expect(placesOf(text)).to.deep.equal(['5:5 KEY_UNKNOWN', '6:5 KEY_UNKNOWN']);
    expect(messagesOf(text)[0]).to.equal('Unknown key "datapth". Did you mean "datapath"?');
    expect(messagesOf(text)[1]).to.match(/^Unknown key "colour"\. Remove it; known here: datapath, uplinks,/);
  });

  it('knows the keys of every object', () => {
    const meant = (text: string): (string | undefined)[] =>
      messagesOf(text).map((message) => /Did you mean "(.*)"\?/.exec(message)?.[1]);
    expect(meant(withLines('bridge: {}'))).to.deep.equal(['bridges']);
    expect(meant(withLines('bridges: { br0: { uplinks: [{ device: e, trnk: [1] }] } }'))).to.deep.equal([
      'trunk',
    ]);
    expect(
      meant(withLines('bridges: { br0: }', 'networks: { web: { bridge: br0, vlna: 1 } }')),
    ).to.deep.equal(['vlan']);
    expect(meant(withLines('profiles: { p: { limits: {} } }'))).to.deep.equal(['limit']);
    expect(meant(withLines('profiles: { p: { limit: { send: 1M } } }'))).to.deep.equal(['sent']);
    expect(meant(withLines('vms: { a: { memmory: 1G } }'))).to.deep.equal(['memory']);
    expect(meant(withLines('vms: { a: { boot: { kernel: k, initr: i } } }'))).to.deep.equal(['initrd']);
    expect(meant(withNics('{ network: web, modle: virtio }'))).to.deep.equal(['model']);
    expect(meant(withNics('{ network: web, vlan: { trunk: [10], nativ: 10 } }'))).to.deep.equal(['native']);
  });

  it('knows by name what later versions do', () => {
    const later = (text: string): string[] => {
      const issues = issuesOf(text);
      expect(issues.map(({ code }) => code)).to.deep.equal(['NOT_SUPPORTED_YET']);
      return issues.map(({ message }) => /^(.*) is not supported yet\./.exec(message)?.[1] ?? message);
    };
    expect(later(withLines('mirrors: {}'))).to.deep.equal(['"mirrors"']);
    expect(later(withLines('exporters: {}'))).to.deep.equal(['"exporters"']);
    expect(later(withLines('bridges: { br0: { visibility: conversations } }'))).to.deep.equal([
      '"visibility: conversations"',
    ]);
    expect(later(withLines('bridges: { br0: { uplinks: [{ device: e, lacp: active }] } }'))).to.deep.equal([
      '"lacp"',
    ]);
    expect(later(withLines('profiles: { p: { dscp: af31 } }'))).to.deep.equal(['"dscp"']);
    expect(later(withNics('{ network: web, antiSpoof: true }'))).to.deep.equal(['"antiSpoof"']);
  });

  it('does not ask a bond for its device', () => {
    const bond = withLines('bridges: { br0: { uplinks: [{ bond: [a, b], mode: balance-tcp }] } }');
    expect(issuesOf(bond).map(({ code }) => code)).to.deep.equal(['NOT_SUPPORTED_YET', 'NOT_SUPPORTED_YET']);
  });

  it('reports every duplicate key beside all else', () => {
    const text = withLines('vms: { a: { cpus: 0, cpus: 0 } }', 'vms: { b: , b: }');
    expect(placesOf(text)).to.deep.equal(
      ['4:1 KEY_DUPLICATE', '4:13 KEY_DUPLICATE', '3:22 KEY_DUPLICATE'].sort(),
    );
  });

  it('refuses types, choices and numbers that do not fit', () => {
    expect(placesOf(withLines('vms: []'))).to.deep.equal(['3:6 VALUE_TYPE']);
    expect(placesOf(withLines('vms: { a: { nics: {} } }'))).to.deep.equal(['3:19 VALUE_TYPE']);
    expect(placesOf(withLines('bridges: { br0: { rstp: 1 } }'))).to.deep.equal(['3:25 VALUE_TYPE']);
    expect(placesOf(withLines('vms: { a: { cpus: 0 } }'))).to.deep.equal(['3:19 VALUE_RANGE']);
    expect(placesOf(withLines('vms: { a: { cpus: 513 } }'))).to.deep.equal(['3:19 VALUE_RANGE']);
    expect(placesOf(withNics('5'))).to.deep.equal(['7:5 VALUE_TYPE']);
    expect(messagesOf(withNics('{ network: web, model: e100 }'))).to.deep.equal([
      '"model" cannot be "e100". Did you mean e1000? Write one of: virtio, e1000, rtl8139.',
    ]);
  });

  it('refuses names that cannot be', () => {
    expect(placesOf('version: 1\nname: a/b')).to.deep.equal(['2:7 NAME_INVALID']);
    for (const name of ['a-bridge-too-far', 'a/b', 'a:b', '-a', '"a b"', '..', 'brücke']) {
      expect(placesOf(withLines(`bridges: { ${name}: }`)), name).to.deep.equal(['3:12 NAME_INVALID']);
    }
    for (const name of ['-a', '_a', '"a b"', 'a/b', 'bücher']) {
      expect(placesOf(withLines(`vms: { ${name}: }`)), name).to.deep.equal(['3:8 NAME_INVALID']);
    }
    expect(
      placesOf(withLines('vms: { a.b_c-D9: , a-very-long-name-that-no-device-can-have: }')),
    ).to.deep.equal([]);
    expect(placesOf(withLines('bridges: { br0: { uplinks: [{ device: "a b" }] } }'))).to.deep.equal([
      '3:39 NAME_INVALID',
    ]);
  });

  it('refuses rates and sizes that are none', () => {
    for (const rate of ['fast', '0', '-1M', '1MB']) {
      expect(placesOf(withLines(`profiles: { p: { limit: { sent: ${rate} } } }`)), rate).to.deep.equal([
        '3:33 RATE_INVALID',
      ]);
    }
    // 256 without a prefix are bytes, and no guest runs in them.
    for (const size of ['much', '0', '256', '-1M']) {
      expect(placesOf(withLines(`vms: { a: { memory: ${size} } }`)), size).to.deep.equal([
        '3:21 SIZE_INVALID',
      ]);
    }
  });
});

describe('topology/read: what does not fit together', () => {
  it('finds names that lead nowhere', () => {
    const text = withLines(
      'networks: { web: { bridge: br0 } }',
      'vms: { a: { nics: [{ network: wbe, profile: gold }] } }',
    );
    expect(placesOf(text)).to.deep.equal(['3:28 NAME_UNKNOWN', '4:31 NAME_UNKNOWN', '4:45 NAME_UNKNOWN']);
    expect(messagesOf(text)).to.deep.equal([
      'There is no bridge "br0" in this file. Add it under "bridges:", or name another one.',
      'There is no network "wbe" in this file. Did you mean "web"?',
      'There is no profile "gold" in this file. Add it under "profiles:", or name another one.',
    ]);
    // Not fooled by what every object inherits.
    expect(placesOf(withNics('{ network: constructor }'))).to.deep.equal(['7:16 NAME_UNKNOWN']);
  });

  it('does not call a name unknown because its entry has an issue', () => {
    const text = withLines(
      'bridges: { br0: { rtsp: true } }',
      'networks: { web: { bridge: br0, vlan: 4096 } }',
      'vms: { a: { nics: [{ network: web }] } }',
    );
    expect(placesOf(text)).to.deep.equal(['3:19 KEY_UNKNOWN', '4:39 VLAN_INVALID']);
  });

  it('finds a device that is used twice', () => {
    const text = withLines(
      'bridges:',
      '  br0: { uplinks: [{ device: eno1 }, { device: eno1 }, { device: br1 }] }',
      '  br1: { uplinks: [{ device: eno1 }] }',
    );
    expect(placesOf(text)).to.deep.equal([
      '4:48 DEVICE_DUPLICATE',
      '4:66 DEVICE_DUPLICATE',
      '5:30 DEVICE_DUPLICATE',
    ]);
    expect(messagesOf(text)[2]).to.include('"eno1" is in use already in line 4');
  });

  it('finds VLANs that cannot be', () => {
    for (const vlan of ['4095', '4096', '-1', '1.5', 'ten', 'true']) {
      expect(placesOf(withNics(`{ network: web, vlan: ${vlan} }`)), vlan).to.deep.equal([
        '7:27 VLAN_INVALID',
      ]);
    }
    for (const entry of ['4095', '20-10', 'x']) {
      expect(placesOf(withNics(`{ network: web, vlan: { trunk: [10, ${entry}] } }`)), entry).to.deep.equal([
        '7:41 VLAN_INVALID',
      ]);
    }
    expect(placesOf(withNics('{ network: web, vlan: { trunk: [] } }'))).to.deep.equal(['7:36 TRUNK_EMPTY']);
    expect(placesOf(withNics('{ network: web, vlan: {} }'))).to.deep.equal(['7:21 KEY_MISSING']);
    expect(placesOf(withNics('{ network: web, vlan: { trunk: [10], native: 20 } }'))).to.deep.equal([
      '7:50 NATIVE_NOT_IN_TRUNK',
    ]);
    expect(placesOf(withNics('{ network: web, vlan: { trunk: [10], nativeTagged: true } }'))).to.deep.equal([
      '7:42 NATIVE_MISSING',
    ]);
    expect(placesOf(withNics('{ network: web, vlan: { trunk: [20, 30-40] } }'))).to.deep.equal([
      '7:27 TRUNK_WITHOUT_NETWORK',
    ]);
    expect(
      placesOf(
        withNics(
          '{ network: web, vlan: { trunk: [5-10, 20], native: 20 } }',
          '{ network: bare, vlan: { trunk: [7] } }',
          '{ network: web, vlan: 30 }',
        ),
      ),
    ).to.deep.equal([]);
  });

  it('finds them in uplinks and profiles too', () => {
    const uplinks = (...entries: string[]): string =>
      withLines(`bridges: { br0: { uplinks: [${entries.join(', ')}] } }`);
    expect(placesOf(uplinks('{ device: a, trunk: [] }'))).to.deep.equal(['3:49 TRUNK_EMPTY']);
    expect(placesOf(uplinks('{ device: a, trunk: [1], vlan: 1 }'))).to.deep.equal(['3:42 VLAN_TWICE']);
    expect(placesOf(uplinks('{ device: a, vlan: { trunk: [1], native: 2 } }'))).to.deep.equal([
      '3:70 NATIVE_NOT_IN_TRUNK',
    ]);
    expect(placesOf(withLines('profiles: { p: { vlan: { trunk: [1], native: 2 } } }'))).to.deep.equal([
      '3:46 NATIVE_NOT_IN_TRUNK',
    ]);
    const fromProfile = withLines(
      'bridges: { br0: }',
      'networks: { web: { bridge: br0, vlan: 10 } }',
      'profiles: { p: { vlan: { trunk: [20] } } }',
      'vms: { a: { nics: [{ network: web, profile: p }, { network: web, profile: p, vlan: 10 }] } }',
    );
    expect(placesOf(fromProfile)).to.deep.equal(['6:45 TRUNK_WITHOUT_NETWORK']);
  });

  it('finds MACs that cannot be, or are there twice, in whatever case', () => {
    expect(placesOf(withNics('{ network: web, mac: 52:54:00 }'))).to.deep.equal(['7:26 MAC_INVALID']);
    expect(placesOf(withNics('{ network: web, mac: 525400100001 }'))).to.deep.equal(['7:26 MAC_INVALID']);
    expect(placesOf(withNics('{ network: web, mac: 01:00:5e:00:00:01 }'))).to.deep.equal([
      '7:26 MAC_UNUSABLE',
    ]);
    const twice = withNics(
      '{ network: web, mac: 52:54:00:ab:00:01 }',
      '{ network: web, mac: 52-54-00-AB-00-01 }',
    );
    expect(placesOf(twice)).to.deep.equal(['8:26 MAC_DUPLICATE']);
    expect(messagesOf(twice)[0]).to.include(
      'NIC web1:1 has the MAC 52:54:00:ab:00:01 of NIC web1:0 (line 7)',
    );
  });

  it('finds addresses that cannot be', () => {
    expect(placesOf(withNics('{ network: web, ip: 10.1.0.1/24 }'))).to.deep.equal(['7:25 IP_INVALID']);
    expect(placesOf(withNics('{ network: web, ip: 10.2.0.1 }'))).to.deep.equal(['7:25 IP_OUTSIDE_NETWORK']);
    expect(placesOf(withNics('{ network: web, ip: fd00::1 }'))).to.deep.equal(['7:25 IP_OUTSIDE_NETWORK']);
    expect(placesOf(withNics('{ network: web, ip: 10.1.0.0 }'))).to.deep.equal(['7:25 IP_RESERVED']);
    expect(placesOf(withNics('{ network: web, ip: 10.1.0.255 }'))).to.deep.equal(['7:25 IP_RESERVED']);
    expect(placesOf(withNics('{ network: bare, ip: 10.1.0.1 }'))).to.deep.equal(['7:26 IP_WITHOUT_CIDR']);
    const twice = withNics('{ network: web, ip: 10.1.0.1 }', '{ network: web, ip: 10.1.0.1 }');
    expect(placesOf(twice)).to.deep.equal(['8:25 IP_DUPLICATE']);
    expect(messagesOf(twice)[0]).to.include('of NIC web1:0 in the same network (line 7)');
  });

  it('allows one address in two networks', () => {
    const networks =
      'networks: { a: { bridge: br0, vlan: 1, cidr: 10.0.0.0/24 }, b: { bridge: br0, vlan: 2, cidr: 10.0.0.0/24 } }';
    const text = withLines(
      'bridges: { br0: }',
      networks,
      'vms: { v: { nics: [{ network: a, ip: 10.0.0.1 }, { network: b, ip: 10.0.0.1 }] } }',
    );
    expect(placesOf(text)).to.deep.equal([]);
  });

  it('finds networks that are none, or too small', () => {
    expect(
      placesOf(withLines('bridges: { b: }', 'networks: { n: { bridge: b, cidr: 10.0.0.0 } }')),
    ).to.deep.equal(['4:35 CIDR_INVALID']);
    const small = (nics: number): string =>
      withLines(
        'bridges: { b: }',
        'networks: { n: { bridge: b, cidr: 10.0.0.0/30 } }',
        'vms:',
        ...Array.from({ length: nics }, (_, index) => `  v${String(index)}: { nics: [{ network: n }] }`),
      );
    expect(placesOf(small(2))).to.deep.equal([]);
    expect(placesOf(small(4))).to.deep.equal(['8:16 CIDR_EXHAUSTED']);
    expect(messagesOf(small(4))[0]).to.include('has 2 host addresses for 4 NICs');
  });
});

describe('topology/read: all at once', () => {
  it('sorts every issue of a file by its place', () => {
    const text = `version: 1
nam: site
bridges:
  br0: { datapath: fast }
networks:
  web: { bridge: br1, vlan: 4096 }
vms:
  web1:
    memory: 12
    nics:
      - { network: wbe, mac: "01:00:00:00:00:01", modle: virtio }
`;
    const places = placesOf(text);
    expect(places).to.deep.equal([
      '1:1 KEY_MISSING',
      '2:1 KEY_UNKNOWN',
      '4:20 VALUE_UNKNOWN',
      '6:18 NAME_UNKNOWN',
      '6:29 VLAN_INVALID',
      '9:13 SIZE_INVALID',
      '11:20 NAME_UNKNOWN',
      '11:30 MAC_UNUSABLE',
      '11:51 KEY_UNKNOWN',
    ]);
    expect(issuesOf(text).map(({ path }) => path.join('.'))).to.include('vms.web1.nics.0.mac');
  });

  it('renders an issue as compilers do', () => {
    const issue = { code: 'TRUNK_EMPTY', message: 'This.', line: 3, column: 7, path: [] } as const;
    expect(renderIssue(issue, 'a.yaml')).to.equal('a.yaml:3:7: error[TRUNK_EMPTY]: This.');
  });

  it('gives only codes that mean an invalid topology, for any value anywhere', () => {
    const invalid = new Set(
      errorCodes()
        .filter(({ exitStatus }) => exitStatus === 78)
        .map(({ code }) => code),
    );
    const value = fc.oneof(
      fc.constantFrom(
        '10',
        'virtio',
        '[]',
        '{}',
        '~',
        '1.5',
        '"a b"',
        '{ trunk: [1-3], native: 9 }',
        '[{}]',
        '10.0.0.1',
        '-1',
      ),
      fc.constantFrom('true', '.nan', '.inf', '1e999', '{ a: { b: c } }'),
    );
    const keys = [
      'version',
      'name',
      'bridges',
      'networks',
      'vms',
      'nics',
      'vlan',
      'network',
      'bridge',
      'mac',
      'ip',
      'cidr',
      'limit',
      'uplinks',
      'device',
      'trunk',
      'boot',
      'memory',
      'profile',
      'backend',
    ];
    const { tree } = fc.letrec<{ tree: string; map: string; list: string }>((tie) => ({
      tree: fc.oneof({ depthSize: 'medium' }, value, tie('map'), tie('list')),
      map: fc.dictionary(fc.constantFrom(...keys, 'web'), tie('tree'), { maxKeys: 6 }).map(
        (entries) =>
          `{ ${Object.entries(entries)
            .map(([key, text]) => `${key}: ${text}`)
            .join(', ')} }`,
      ),
      list: fc.array(tie('tree'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    }));
    fc.assert(
      fc.property(tree, (text) => {
        for (const issue of issuesOf(text)) {
          expect(invalid.has(issue.code), issue.code).to.equal(true);
          expect(issue.message).to.not.match(/undefined|\[object/);
          expect(issue.line).to.equal(1);
        }
      }),
      { numRuns: 500 },
    );
  });
});
