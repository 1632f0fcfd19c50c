/** Signal & cells: both legs, carriers, neighbours, temperature, and the last hour. */

import { Carriers, bandName, levelColumns } from './carriers.js';
import { ChartGroup, TimeChart, loadChartJs, markOf } from './charts.js';
import { el, fill, setText } from './dom.js';
import { NONE, cellName, epoch, number, withUnit } from './format.js';
import { signalBars } from './modem-card.js';
import { meaningFold } from './meanings.js';
import { bars, quality } from './quality.js';
import { fetchSeries } from './series.js';
import { LiveTable } from './table.js';

const HOUR_S = 3600;
const CHARTS = [
	{ id: 'rsrp', title: 'RSRP', unit: 'dBm', min: -125, max: -70, lines: [['rsrp_dbm', 'LTE'], ['nr_rsrp_dbm', '5G', true]] },
	{ id: 'sinr', title: 'SINR', unit: 'dB', min: -5, max: 30, digits: 1, lines: [['sinr_db', 'LTE'], ['nr_sinr_db', '5G', true]] }
];
const BRANCHES = [['RSRP', 'rsrp', 'dBm'], ['RSRQ', 'rsrq', 'dB'], ['SINR', 'sinr', 'dB'], ['RSSI', 'rssi', 'dBm']];
const LEGS = {
	LTE: [['RSRP', 'rsrp_dbm', 'dBm', 0], ['RSRQ', 'rsrq_db', 'dB', 1], ['SINR', 'sinr_db', 'dB', 0], ['RSSI', 'rssi_dbm', 'dBm', 0]],
	NR: [['RSRP', 'nr_rsrp_dbm', 'dBm', 0], ['RSRQ', 'nr_rsrq_db', 'dB', 1], ['SINR', 'nr_sinr_db', 'dB', 0]],
	SA: [['RSRP', 'rsrp_dbm', 'dBm', 0], ['RSRQ', 'rsrq_db', 'dB', 1], ['SINR', 'sinr_db', 'dB', 0]],
	UMTS: [['RSCP', 'rscp_dbm', 'dBm', 0], ['Ec/Io', 'ecio_db', 'dB', 1], ['RSSI', 'rssi_dbm', 'dBm', 0]],
	GSM: [['RSSI', 'rssi_dbm', 'dBm', 0]]
};
const LEG_WORDS = { LTE: 'LTE', NR: '5G', SA: '5G', UMTS: '3G', GSM: '2G' };

/** The legs a reading has: LTE alone, LTE and 5G, 5G alone, or what came before them. */
export function legsOf(reading) {
	if (!reading)
		return [];
	if (reading.mode === 'SA')
		return ['SA'];
	if (reading.mode === 'NSA' || Number.isFinite(reading.nr_rsrp_dbm))
		return ['LTE', 'NR'];
	return [LEGS[reading.mode] ? reading.mode : 'LTE'];
}

/** One leg with its values and what they mean. */
class Leg {
	constructor(kind, t) {
		Object.assign(this, { kind, _t: t });
		this.where = el('span.remsim-muted');
		this.bars = el('span.remsim-barbox');
		this.values = LEGS[kind].map(([label, name, unit, digits]) => ({ name, unit, digits, value: el('b'), word: el('span'), label }));
		this.branches = el('p.remsim-branches', { hidden: true });
		this.root = el('section.remsim-panel.remsim-leg', { 'aria-label': LEG_WORDS[kind] },
			el('header', {}, this.bars, el('h3', {}, LEG_WORDS[kind]), this.where),
			el('dl.remsim-big', {}, this.values.map(one => el('div', {}, el('dt', {}, one.label), el('dd', {}, one.value, ' ', one.word)))), this.branches);
	}

	update(reading, detail) {
		const t = this._t, isNr = this.kind === 'NR', r = reading;
		for (const { name, unit, digits, value, word } of this.values) {
			const known = r[name] ?? null, meaning = quality(name, known);
			setText(value, withUnit(known, unit, Number.isInteger(known) ? 0 : digits));
			value.className = `remsim-quality-${meaning || 'none'}`;
			setText(word, known === null ? t('not reported by this modem') : meaning ? t(meaning) : '');
		}
		const [main] = this.values, level = r[main.name] ?? null;
		const told = `${main.label} ${number(level)}`;
		if (told !== this._told)
			fill(this.bars, signalBars(bars(main.name, level), told));
		this._told = told;
		const band = isNr ? r.nr_band : r.band, width = isNr ? r.nr_bw_dl_mhz : r.bw_dl_mhz, channel = isNr ? r.nr_arfcn : r.earfcn ?? r.arfcn, pci = isNr ? r.nr_pci : r.pci;
		setText(this.where, [
			Number.isFinite(band) ? bandName({ band, rat: isNr || this.kind === 'SA' ? 'NR' : this.kind }) : null, Number.isFinite(width) ? withUnit(width, 'MHz', width % 1 ? 1 : 0) : null,
			Number.isFinite(pci) ? `PCI ${pci}` : null, Number.isFinite(channel) ? t('channel %s', channel) : null
		].filter(Boolean).join(' · '));
		const rows = BRANCHES.map(([label, name, unit]) => [label, detail?.details?.[`${isNr ? 'nr_' : ''}${name}_branches_${unit.toLowerCase()}`], unit]).filter(([, values]) => Array.isArray(values) && values.some(Number.isFinite));
		this.branches.hidden = !rows.length;
		setText(this.branches, rows.map(([label, values, unit]) => t('%s by antenna: %s', label, `${values.map(value => number(value)).join(' · ')}\u202f${unit}`)).join('; '));
	}
}

export class SignalTab {
	constructor(ctx) {
		const t = ctx.t;
		this._ctx = ctx;
		this.legs = new Map();
		this.legBox = el('div.remsim-legs');
		this.noSignal = el('p.remsim-absent', { hidden: true });
		this.aim = el('a.remsim-button.remsim-primary', { href: ctx.address('aim'), click: () => { ctx.wentToAim = true; } }, t('Aim the antenna'));
		this.facts = el('dl.remsim-facts');
		this.rows = new Map();
		this.carriers = new Carriers(t);
		this.cells = new LiveTable([
			{ label: t('Cell'), text: cell => cell.isServing ? t('serving') : t('neighbour'), look: cell => cell.isServing ? 'remsim-serving' : '' },
			{ label: t('Band'), text: cell => bandName(cell) }, ...levelColumns(t),
			{ label: t('Lock'), isPlain: true, node: cell => el('span', {}, this._lockButton(cell)) }
		], cell => `${cell.isServing} ${cell.rat} ${cell.earfcn ?? cell.arfcn} ${cell.pci}`, t('Cells'));
		this.noCells = el('p.remsim-absent', {}, t('No neighbour is known: modems tell them only now and then, some never.'));
		this.sensors = el('p.remsim-help', { hidden: true });
		this.chartBox = el('div.remsim-charts');
		this.rawList = el('dl.remsim-facts');
		this.replyList = el('dl.remsim-replies');
		this.replies = el('details', { hidden: true, toggle: () => this._replies() }, el('summary', {}, t('Raw replies')),
			el('p.remsim-help', {}, t('What the modem answered last to each command, long numbers masked: what the values on this page were read from.')), this.replyList);
		this.raw = el('details.remsim-raw', { hidden: true }, el('summary', {}, t('Everything else this modem reports')), this.rawList, this.replies);
		this.replyRows = new Map();
		this.root = el('div.remsim-stack', {},
			el('div.remsim-tools', {}, this.aim), this.noSignal, this.legBox,
			meaningFold(t, ['rsrp', 'rsrq', 'sinr', 'rssi', 'temperature'], { look: '.remsim-panel', names: ['RSRP', 'RSRQ', 'SINR', 'RSSI', t('Temperature')] }),
			el('section.remsim-panel', {}, el('header', {}, el('h3', {}, t('Network and device'))), this.facts, this.sensors),
			this.carriers.root,
			el('section.remsim-panel', {}, el('header', {}, el('h3', {}, t('Cells'))), this.cells.root, this.noCells),
			el('h3', {}, t('The last hour')), this.chartBox, this.raw);
		this._charts();
	}

	/** Carriers and cells move, and only the object of one modem has them. */
	get polls() {
		return true;
	}

	_lockButton(cell) {
		const { t } = this._ctx;
		const button = el('button.remsim-small', { type: 'button', hidden: true, 'aria-label': t('Lock to cell %s', cell.pci), title: t('Lock to this cell'), click: () => this._lock(button.cell) }, t('Lock'));
		button.cell = cell;
		return button;
	}

	/** The form opens with the cell filled in; nothing is done yet. */
	_lock(cell) {
		this._ctx.prefill = { action: 'cell-lock', values: schema => lockValues(cell, schema.properties) };
		this._ctx.go('settings', { action: 'cell-lock' });
	}

	offered() {
		this._canLock = !this._ctx.options.readonly && !!this._ctx.action('cell-lock') && !this._ctx.action('cell-lock').missing;
		this._showLocks();
	}

	_showLocks() {
		for (const button of this.cells.root.querySelectorAll('button'))
			button.hidden = !this._canLock || button.cell.pci === null || button.cell.pci === undefined || !Number.isFinite(button.cell.earfcn ?? button.cell.arfcn);
	}

	/** A reading came: the numbers of the second. */
	read(modem) {
		const { t, store } = this._ctx, reading = modem.reading, kinds = modem.state === 'online' || reading?.rsrp_dbm !== null ? legsOf(reading) : [];
		this.noSignal.hidden = kinds.length > 0 && !!reading;
		setText(this.noSignal, t('No signal value: %s', modem.problem || t('nothing was read yet')));
		for (const kind of kinds) {
			if (!this.legs.has(kind)) {
				const leg = new Leg(kind, t);
				this.legs.set(kind, leg);
				this.legBox.appendChild(leg.root);
			}
			this.legs.get(kind).update(reading, this._ctx.detail);
		}
		for (const [kind, leg] of this.legs)
			leg.root.hidden = !kinds.includes(kind);
		this._facts(modem, reading || {}, this._ctx.detail?.details || {});
		this._append(reading, store);
	}

	/** The object of this modem came: carriers, neighbours, sensors. */
	update(modem, detail) {
		this.read(modem);
		this.carriers.show(detail.carriers || []);
		const serving = servingCells(detail.reading);
		this.cells.show([...serving, ...(detail.neighbours || [])]);
		this.cells.root.hidden = !serving.length && !(detail.neighbours || []).length;
		this.noCells.hidden = (detail.neighbours || []).length > 0;
		this._showLocks();
		const sensors = Object.entries(detail.sensors_c || {}).filter(([, value]) => value !== null);
		this.sensors.hidden = sensors.length < 2;
		setText(this.sensors, t_sensors(sensors, this._ctx.t));
		this._others(detail.details || {});
		this._told = Object.entries(detail.replies || {});
		this.replies.hidden = !this._told.length;
		this.raw.hidden = !this.rawList.children.length && !this._told.length;
		this._replies();
	}

	_facts(modem, r, detail) {
		const { t } = this._ctx;
		const warm = temperatureLook(r.temperature_c, detail);
		const rows = [
			[t('Operator'), [r.operator, r.plmn && `(${r.plmn})`].filter(Boolean).join(' ') || NONE],
			[t('Registration'), r.registration ? t(String(r.registration).replaceAll('_', ' ')) : NONE],
			[t('Cell'), cellName(r)], [t('Tracking area'), number(r.tac)],
			[t('Temperature'), `${withUnit(r.temperature_c, '°C', r.temperature_c % 1 ? 1 : 0)}${warm.word ? ` · ${t(warm.word)}` : ''}`, warm.look],
			[t('Voltage'), withUnit(Number.isFinite(detail.voltage_mv) ? detail.voltage_mv / 1000 : null, 'V', 2)],
			[t('Firmware'), modem.firmware || NONE], [t('USB'), [modem.usb_path, modem.usb_id].filter(Boolean).join(' · ')],
			[t('Port'), modem.port || NONE], [t('Interface'), modem.interface || NONE]
		].filter(([name, value]) => name !== t('Voltage') || value !== NONE);
		for (const [name, value, look] of rows) {
			if (!this.rows.has(name)) {
				this.rows.set(name, el('dd'));
				this.facts.appendChild(el('div', {}, el('dt', {}, name), this.rows.get(name)));
			}
			setText(this.rows.get(name), value);
			this.rows.get(name).className = look || '';
		}
	}

	/** What has no place of its own is shown under the name it came with. */
	_others(detail) {
		const others = Object.entries(detail).filter(([name, value]) => !PLACED.has(name) && value !== null && value !== '' && (typeof value !== 'object' || (Array.isArray(value) && value.every(one => typeof one !== 'object'))));
		const told = JSON.stringify(others);
		if (told !== this._toldOthers)
			fill(this.rawList, others.map(([name, value]) => el('div', {}, el('dt', {}, name.replaceAll('_', ' ')), el('dd', {}, Array.isArray(value) ? value.join(', ') : String(value)))));
		this._toldOthers = told;
	}

	/** The replies change every second, so they are written only where they are read. */
	_replies() {
		if (!this.replies.open)
			return;
		const told = new Map(this._told);
		for (const [command, row] of this.replyRows) {
			if (!told.has(command)) {
				row.root.remove();
				this.replyRows.delete(command);
			}
		}
		for (const [command, reply] of told) {
			if (!this.replyRows.has(command)) {
				const text = el('pre'), root = el('div', {}, el('dt.remsim-mono', {}, command), el('dd', {}, text));
				this.replyRows.set(command, { root, text });
				this.replyList.appendChild(root);
			}
			setText(this.replyRows.get(command).text, reply);
		}
	}

	async _charts() {
		const { t, request, id, store } = this._ctx;
		try {
			const ChartJs = await loadChartJs();
			if (this._isOver)
				return;
			this.group = new ChartGroup();
			this.charts = CHARTS.map(spec => ({ spec, chart: new TimeChart({ ...spec, t }, this.group, ChartJs) }));
			this.group.onZoom = (from, to) => this._toHistory(from, to);
			fill(this.chartBox, this.charts.map(({ chart }) => chart.root));
			const now = store.now();
			const found = await fetchSeries(request, { modems: [id], measures: CHARTS.flatMap(spec => spec.lines.map(([measure]) => measure)), range: '1h', points: 600 });
			if (this._isOver)
				return;
			for (const { spec, chart } of this.charts) {
				const answers = spec.lines.map(([measure]) => found.get(`${id} ${measure}`));
				const lines = spec.lines.map(([measure, label, dash], at) => ({ label, dash, measure, modem: id, series: 0, points: answers[at].points, periodS: 1 }))
					.filter((line, at) => at === 0 || line.points.some(point => point[2] !== null));
				chart.show(lines, now - HOUR_S, now, Math.max(...answers.map(answer => answer.stepS)), answers[0].reason);
			}
			const { events } = await request('events', { query: { modem: id, from: now - HOUR_S, to: now, limit: 200 } });
			this._marks = events.filter(event => markOf(event.kind)).map(event => ({ t: epoch(event.at), mark: markOf(event.kind), event }));
			this.charts.forEach(({ chart }) => chart.setEvents(this._marks));
		} catch (error) {
			if (!this._isOver)
				fill(this.chartBox, el('p.remsim-absent', {}, t('The chart cannot be shown: %s', error.message)));
		}
	}

	/** History shows any period with all its charts. */
	_toHistory(from, to) {
		const { options: { links }, id } = this._ctx;
		if (links.page)
			location.href = `${links.page('history')}#${new URLSearchParams({ from: Math.floor(from), to: Math.ceil(to), modem: id })}`;
	}

	_append(reading, store) {
		if (!reading || !this.charts || !this.root.isConnected || document.hidden)
			return;
		const now = store.now();
		for (const { chart } of this.charts) {
			const additions = chart.lines.flatMap(line => {
				const last = line.points.length ? line.points[line.points.length - 1][0] : 0;
				return store.since(this._ctx.id, last).map(row => [line, row.t, row.reading[line.measure] ?? null]);
			});
			if (chart.chart)
				chart.append(additions, now - HOUR_S, now);
		}
	}

	recolour() {
		this.charts?.forEach(({ chart }) => chart.recolour());
	}

	happened(event) {
		if (this._marks && markOf(event.kind)) {
			this._marks = [...this._marks, { t: epoch(event.at), mark: markOf(event.kind), event }];
			this.charts.forEach(({ chart }) => chart.setEvents(this._marks));
		}
	}

	destroy() {
		this._isOver = true;
		this.charts?.forEach(({ chart }) => chart.destroy());
	}
}

/** Details that are shown elsewhere on the page. */
const PLACED = new Set(['voltage_mv', 'pin_tries_left', 'puk_tries_left', 'temperature_state', 'temperature_limits_c',
	...BRANCHES.flatMap(([, name, unit]) => ['', 'nr_'].map(leg => `${leg}${name}_branches_${unit.toLowerCase()}`))]);

function t_sensors(sensors, t) {
	return t('Sensors: %s', sensors.map(([name, value]) => `${name} ${withUnit(value, '°C', value % 1 ? 1 : 0)}`).join(' · '));
}

/** The cells that carry this modem now, as rows of the table of cells. */
export function servingCells(reading) {
	if (!reading || (!Number.isFinite(reading.pci) && !Number.isFinite(reading.nr_pci)))
		return [];
	const own = { isServing: true, rat: reading.mode === 'SA' ? 'NR' : reading.rat, band: reading.band, pci: reading.pci, earfcn: reading.earfcn ?? reading.arfcn, rsrp_dbm: reading.rsrp_dbm, rsrq_db: reading.rsrq_db, sinr_db: reading.sinr_db };
	const other = { isServing: true, rat: 'NR', band: reading.nr_band, pci: reading.nr_pci, arfcn: reading.nr_arfcn, rsrp_dbm: reading.nr_rsrp_dbm, rsrq_db: reading.nr_rsrq_db, sinr_db: reading.nr_sinr_db };
	return [own, other].filter(cell => Number.isFinite(cell.pci));
}

/** A cell in the words of the form that ties to cells: a choice where the form has it, else as if typed. */
export function lockValues(cell, fields) {
	const isNr = cell.rat === 'NR', name = `${cell.earfcn ?? cell.arfcn}:${cell.pci}`;
	const choices = isNr ? fields.nr_cell?.oneOf : fields.lte_cells?.items?.oneOf;
	const known = choices?.find(one => one.const === name || String(one.const).startsWith(`${name}:`));
	if (isNr)
		return known ? { off: false, nr_cell: known.const } : { off: false, other_nr_cell: `${name}:30:${cell.band ?? ''}` };
	return known ? { off: false, lte_cells: [known.const] } : { off: false, more_lte_cells: name };
}

/** How warm a modem is, by its own word and its own limits. */
export function temperatureLook(value, { temperature_state: state, temperature_limits_c: limits } = {}) {
	const { high_warning: warn = null, high_critical: critical = null } = limits || {};
	if ((Number.isFinite(value) && critical !== null && value >= critical) || /critical/i.test(state || ''))
		return { word: 'critical', look: 'remsim-quality-poor' };
	return (Number.isFinite(value) && warn !== null && value >= warn) || /warn|high/i.test(state || '') ? { word: 'warm', look: 'remsim-quality-fair' } : { word: '', look: '' };
}
