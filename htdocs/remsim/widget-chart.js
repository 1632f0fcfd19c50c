/** A chart of one measure, live or past; it moves on by itself while its period is live. */

import { TimeChart, loadChartJs } from './charts.js';
import { CHARTS } from './dashboard-widgets.js';
import { openDialog } from './dialog.js';
import { el } from './dom.js';
import { download } from './download.js';
import { bitRate } from './format.js';
import { meaningOf } from './meanings.js';
import { BANDS } from './quality.js';
import { qualityPercent } from './link-quality.js';
import { lineName } from './words.js';

const LIVE_S = 3600;
const LEAST_POINTS = 150;
const MOST_POINTS = 600;
const SLOW_S = 30;

/** A reading's value of a measure; the quality is counted from the others. */
function valueOf(reading, measure) {
	return (measure === 'quality_percent' ? qualityPercent(reading) : reading[measure]) ?? null;
}

export async function make(board, settings, title) {
	return new ChartWidget(board, settings, title, await loadChartJs());
}

class ChartWidget {
	constructor(board, settings, title, ChartJs) {
		const t = board.options.t;
		this._board = board;
		this._settings = settings;
		this._spec = CHARTS[settings.measure] || CHARTS.rsrp;
		this._generation = 0;
		this.isChart = true;
		const { isRate } = this._spec;
		this.chart = new TimeChart({ ...this._spec, title, t, ...(isRate ? { format: bitRate, axis: bitRate } : {}) }, board.group, ChartJs);
		this.root = this.chart.root;
		this.chart.exports.append(el('button.remsim-log', { type: 'button', 'aria-label': t('What does this mean?'), title: t('What does this mean?'), click: () => this._explain(title) }, '?'));
		this.root.classList.add('remsim-for-modems');
	}

	async load() {
		const board = this._board, generation = ++this._generation;
		const period = board.period(this._settings.range), modems = board.modems(this._settings.modems);
		const t = board.options.t, spec = this._spec;
		this._modems = modems.map(modem => modem.id);
		let found = new Map(), reason = modems.length ? null : t('None of these modems is there.');
		try {
			const points = Math.max(LEAST_POINTS, Math.min(MOST_POINTS, Math.round((this.root.clientWidth || 600) / (board.isLean ? 3 : 2))));
			if (modems.length)
				found = await board.series({ period, modems: this._modems, measures: spec.lines.map(([measure]) => measure), points });
		} catch (error) {
			reason = error.message;
		}
		if (generation !== this._generation)
			return;
		this._period = period;
		this._loadedAt = Date.now() / 1000;
		const lines = [];
		let stepS = 1;
		for (const modem of modems) {
			spec.lines.forEach(([measure, suffix, dash], at) => {
				const one = found.get(`${modem.id} ${measure}`);
				reason ||= one?.reason;
				if (!one || (at > 0 && dash && !one.points.length && suffix !== '↑'))
					return;
				stepS = Math.max(stepS, one.stepS);
				lines.push({
					label: lineName(modem.name, suffix, t), series: board.colourOf(modem.id), dash, points: one.points,
					measure, modem: modem.id, periodS: modem.effective_period_s
				});
			});
		}
		this.chart.qualityBands = modems.length === 1 ? BANDS[spec.lines[0][0]] || null : null;
		this.chart.show(lines, period.from, period.to, stepS, reason);
		this._export(period);
		if (!this._settings.range)
			board.events(false).then(() => this.marks());
	}

	/** The lane shows what happened to the modems of the chart. */
	marks() {
		const chosen = this._settings.modems || [];
		if (!this._settings.range)
			this.chart.setEvents(this._board.eventMarks.filter(({ event }) => !chosen.length || chosen.includes(event.source) || !this._board.store.modems.has(event.source)));
	}

	reading() {
		this._dirty = true;
	}

	tick() {
		const period = this._period, board = this._board;
		if (!period || !period.live || !this.isNear || !this.chart.chart)
			return;
		const now = board.store.now(), span = period.to - period.from, age = Date.now() / 1000 - this._loadedAt;
		if (span > LIVE_S) {
			if (board.isLinked && age > Math.max(SLOW_S, span / 1000))
				this.load();
			return;
		}
		if (!this._dirty)
			return;
		this._dirty = false;
		const additions = this.chart.lines.flatMap(line => {
			line.periodS = (board.store.modems.get(line.modem) || line).effective_period_s;
			const last = line.points.length ? line.points[line.points.length - 1][0] : 0;
			return board.store.since(line.modem, last).map(row => [line, row.t, valueOf(row.reading, line.measure)]);
		});
		this.chart.append(additions, now - span, now);
	}

	recolour() {
		this.chart.recolour();
	}

	/** What the values mean and what is good. */
	_explain(title) {
		const { t } = this._board.options;
		openDialog(this.root.closest('.remsim'), { title, t }, meaningOf(this._settings.measure in CHARTS ? this._settings.measure : 'rsrp', t).map(text => el('p', {}, text)));
	}

	_export(period) {
		const { exportUrl, t } = this._board.options;
		const url = exportUrl('csv', {
			modem: this._modems.join(',') || null, measure: this._spec.lines.map(line => line[0]).join(','),
			...(period.name ? { range: period.name } : { from: period.from, to: period.to })
		});
		download(this.chart.exports, 'a', url, 'CSV', t('%s as CSV', this.chart.spec.title));
	}

	destroy() {
		this._generation += 1;
		this.chart.destroy();
	}
}
