import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { createMetricFamilies } from '../../src/output/metrics.ts';
import { documentedMetrics } from '../support/metricsdoc.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const definitions = Object.values(createMetricFamilies()).map(({ definition }) => definition);
const documented = documentedMetrics();

describe('docs/metrics.md', () => {
  it('describes every metric with its type, and no other', () => {
    expect(Object.fromEntries(documented)).to.deep.equal(
      Object.fromEntries(definitions.map(({ name, type }) => [name, type])),
    );
  });

  it('names every label', () => {
    const page = readFileSync('docs/metrics.md', 'utf8');
    for (const { name, labels } of definitions)
      for (const label of labels) expect(page, name).to.match(new RegExp(`\`${label}[\`=]`));
  });
});

describe('metrics', () => {
  it('are named as Prometheus wants it: a prefix, base units, _total for counters only', () => {
    for (const { name, type, help } of definitions) {
      expect(name).to.match(/^(vswitchboard|process)_[a-z]+(_[a-z]+)*$/);
      expect(name.endsWith('_total'), name).to.equal(type === 'counter');
      expect(name).to.not.match(/milli|_ms_|kilo|bits|percent/);
      expect(help, name).to.match(/^[A-Z].*\.$/);
    }
  });
});

describe('the Grafana dashboard', () => {
  const text = readFileSync('docs/grafana/vswitchboard.json', 'utf8');
  const dashboard = JSON.parse(text) as Dashboard;
  const expressions = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map(({ expr }) => expr));
  const names = new Set(text.match(/\b(?:vswitchboard|process)_[a-z_]+/g) ?? []);

  it('asks for documented metrics only, and for all that change', () => {
    expect([...documented.keys()]).to.include.members([...names]);
    const unused = definitions.filter(({ name, type }) => type === 'counter' && !names.has(name));
    expect(unused.map(({ name }) => name)).to.deep.equal([
      'vswitchboard_ovsdb_updates_total',
      'vswitchboard_ovsdb_received_bytes_total',
    ]);
  });

  it('makes rates of counters and of nothing else', () => {
    for (const expression of expressions)
      for (const [, before = '', name = ''] of expression.matchAll(
        /(\w+\()?((?:vswitchboard|process)_\w+)/g,
      )) {
        const isCounter = documented.get(name) === 'counter';
        if (/^(rate|increase)\($/.test(before)) expect(isCounter, expression).to.equal(true);
      }
  });

  it('asks the chosen Prometheus, explains each panel, and lays none over another', () => {
    const shown = dashboard.panels.filter(({ type }) => type !== 'row');
    for (const { title, description, targets = [] } of shown) {
      expect(description, title).to.match(/\.$/);
      expect(targets, title).to.not.be.empty;
      for (const { datasource } of targets) expect(datasource.uid, title).to.equal('${datasource}');
    }
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).to.equal(dashboard.panels.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from(
        { length: w * h },
        (_, cell) => `${String(x + (cell % w))},${String(y + Math.floor(cell / w))}`,
      ),
    );
    expect(new Set(cells).size).to.equal(cells.length);
    expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).to.equal(24);
  });

  it('has every variable that it uses', () => {
    const used = new Set(Array.from(text.matchAll(/\$\{?([a-z]+)\b/g), ([, name]) => name));
    expect([...used].sort()).to.deep.equal(dashboard.templating.list.map(({ name }) => name).sort());
  });
});
