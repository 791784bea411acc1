import type { Panel, PanelKind, Query, Row } from './panel.ts';
import { ROWS } from './panels.ts';

/** The version of the classic JSON model, which every Grafana that is maintained imports. */
const SCHEMA_VERSION = 42;

/** The width of the grid, and how much of it a panel takes. */
const GRID_WIDTH = 24;
const PANEL_WIDTH = 8;
const PANEL_HEIGHT = 8;

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** A place in the grid. */
interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** What Grafana calls the kinds of panels, and how they look. */
const LOOKS: Readonly<Record<PanelKind, { readonly type: string; readonly custom: object; readonly options: object }>> =
  {
    lines: timeSeries({ fillOpacity: 0 }),
    'stacked lines': timeSeries({ fillOpacity: 30, stacking: { mode: 'normal', group: 'A' } }),
    states: {
      type: 'state-timeline',
      custom: {},
      options: {
        mergeValues: true,
        showValue: 'auto',
        legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      },
    },
    numbers: {
      type: 'stat',
      custom: {},
      options: { reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false }, textMode: 'value_and_name' },
    },
    table: { type: 'table', custom: {}, options: { showHeader: true } },
  };

/** The states of a circuit, as `gateway_circuit_state` has them. */
const CIRCUIT_STATES = {
  type: 'value',
  options: {
    '0': { text: 'closed', color: 'green', index: 0 },
    '1': { text: 'half-open', color: 'yellow', index: 1 },
    '2': { text: 'open', color: 'red', index: 2 },
  },
};

/**
 * Makes the dashboard for Grafana.
 *
 * @see https://grafana.com/docs/grafana/latest/visualizations/dashboards/build-dashboards/view-dashboard-json-model/
 */
export function makeDashboard(): object {
  return {
    uid: 'obo-gateway',
    title: 'obo-gateway',
    description: 'Made by `npm run monitoring`. docs/operate/alerts.md has the alerts and what to do.',
    tags: ['obo-gateway'],
    schemaVersion: SCHEMA_VERSION,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    annotations: { list: [] },
    links: [],
    templating: {
      list: [
        datasourceVariable(),
        labelVariable('job', 'job', ''),
        labelVariable('instance', 'instance', 'job=~"$job"'),
      ],
    },
    panels: layOut(ROWS),
  };
}

function datasourceVariable(): object {
  return {
    name: 'datasource',
    label: 'Data source',
    type: 'datasource',
    query: 'prometheus',
    refresh: 1,
    hide: 0,
  };
}

/** A choice among the values of a label; all of them by default. */
function labelVariable(name: string, label: string, matchers: string): object {
  const query = `label_values(gateway_build_info{${matchers}}, ${label})`;
  return {
    name,
    label: name,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: 'A' },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    hide: 0,
    current: { text: ['All'], value: ['$__all'] },
  };
}

/** Puts the rows below each other, and their panels side by side. */
function layOut(rows: readonly Row[]): object[] {
  const panels: object[] = [];
  let y = 0;
  for (const { title, panels: members } of rows) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: GRID_WIDTH, h: 1 },
    });
    y += 1;
    const perLine = GRID_WIDTH / PANEL_WIDTH;
    for (const [index, panel] of members.entries()) {
      const place = { x: (index % perLine) * PANEL_WIDTH, y: y + Math.floor(index / perLine) * PANEL_HEIGHT };
      panels.push(describePanel(panel, panels.length + 1, { ...place, w: PANEL_WIDTH, h: PANEL_HEIGHT }));
    }
    y += Math.ceil(members.length / perLine) * PANEL_HEIGHT;
  }
  return panels;
}

function describePanel({ title, description, kind, unit, queries }: Panel, id: number, gridPos: GridPosition): object {
  const { type, custom, options } = LOOKS[kind];
  return {
    id,
    type,
    title,
    description,
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        unit,
        min: kind === 'numbers' ? undefined : 0,
        custom,
        mappings: kind === 'states' ? [CIRCUIT_STATES] : [],
      },
      overrides: [],
    },
    options,
    targets: queries.map((query, index) => describeQuery(query, kind, 'ABC'.charAt(index))),
    ...(kind === 'table' && { transformations: [{ id: 'organize', options: { excludeByName: { Time: true } } }] }),
  };
}

/** A table shows what is now, everything else the chosen time. */
function describeQuery({ expr, legend }: Query, kind: PanelKind, refId: string): object {
  const isNow = kind === 'table';
  return {
    refId,
    datasource: DATASOURCE,
    expr,
    legendFormat: legend,
    editorMode: 'code',
    range: !isNow,
    instant: isNow,
    ...(isNow && { format: 'table' }),
  };
}

function timeSeries(custom: object): { readonly type: string; readonly custom: object; readonly options: object } {
  return {
    type: 'timeseries',
    custom: { drawStyle: 'line', lineWidth: 1, showPoints: 'never', ...custom },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}
