/** What widgets there are: their names, sizes and settings, and the layout that the pages have of their own. */

import { COLUMNS, arranged, within } from './dashboard-grid.js';
import { msg } from './words.js';

export const VERSION = 1;
export const MOST_WIDGETS = 100;

/** Charts that a widget may show. A line is [measure, what its label says besides the modem, dashed]. */
export const CHARTS = {
	rsrp: { title: msg('RSRP'), unit: 'dBm', min: -125, max: -70, lines: [['rsrp_dbm', ''], ['nr_rsrp_dbm', '5G', true]] },
	rate: { title: msg('Throughput'), unit: '', min: 0, max: 1e6, isRate: true, axisWidth: 72, lines: [['rx_bits_per_s', '↓'], ['tx_bits_per_s', '↑', true]] },
	latency: { title: msg('Latency and jitter'), unit: 'ms', min: 0, max: 100, digits: 0, logarithmic: true, lines: [['latency_ms', ''], ['jitter_ms', msg('jitter'), true]] },
	quality: { title: msg('Quality'), unit: '%', min: 0, max: 100, digits: 0, lines: [['quality_percent', '']] },
	rsrq: { title: msg('RSRQ'), unit: 'dB', min: -20, max: -3, digits: 1, lines: [['rsrq_db', ''], ['nr_rsrq_db', '5G', true]] },
	sinr: { title: msg('SINR'), unit: 'dB', min: -5, max: 30, digits: 1, lines: [['sinr_db', ''], ['nr_sinr_db', '5G', true]] },
	rssi: { title: msg('RSSI'), unit: 'dBm', min: -100, max: -50, lines: [['rssi_dbm', '']] },
	loss: { title: msg('Loss'), unit: '%', min: 0, max: 5, digits: 1, lines: [['loss_percent', '']] },
	temperature: { title: msg('Temperature'), unit: '°C', min: 20, max: 70, digits: 0, lines: [['temperature_c', '']] }
};

/**
 * A row a widget: `load` gives the module that exports `make(board, settings, t)`, `w` and `h` are its usual size, `least`
 * its smallest, `settings` what its form asks for beside the title. `makes` is in dashboard-board.js.
 */
export const WIDGETS = {
	cards: { title: msg('Modem cards'), load: () => import('./widget-cards.js'), w: 12, h: 10, least: { w: 3, h: 6 }, settings: ['modems'] },
	signal: { title: msg('Signal, large'), load: () => import('./widget-signal.js'), w: 4, h: 8, least: { w: 2, h: 4 }, settings: ['modems'] },
	chart: { title: msg('Chart'), load: () => import('./widget-chart.js'), w: 6, h: 9, least: { w: 3, h: 6 }, settings: ['measure', 'modems', 'range'], period: true },
	quality: { title: msg('Connection quality'), load: () => import('./widget-quality.js'), w: 4, h: 5, least: { w: 2, h: 3 }, settings: ['modems'] },
	sim: { title: msg('SIM cards'), load: () => import('./widget-sim.js'), w: 4, h: 5, least: { w: 2, h: 3 }, settings: ['modems'] },
	usage: { title: msg('Data used'), load: () => import('./widget-usage.js'), w: 4, h: 5, least: { w: 3, h: 3 }, settings: ['modems'] },
	timelines: { title: msg('State, technology and SIM'), load: () => import('./widget-timelines.js'), w: 12, h: 6, least: { w: 4, h: 3 }, settings: ['modems', 'range'], period: true },
	cells: { title: msg('Cells'), load: () => import('./widget-cells.js'), w: 6, h: 9, least: { w: 3, h: 6 }, settings: ['modems', 'range'], period: true },
	events: { title: msg('Events'), load: () => import('./widget-events.js'), w: 12, h: 6, least: { w: 3, h: 3 }, settings: ['modems', 'severity', 'count'], period: true },
	alerts: { title: msg('Alerts'), load: () => import('./widget-alerts.js'), w: 4, h: 5, least: { w: 2, h: 3 }, settings: [] },
	notes: { title: msg('Notes'), load: () => import('./widget-notes.js'), w: 4, h: 4, least: { w: 2, h: 2 }, settings: ['text'] },
	clock: { title: msg('Clock'), load: () => import('./widget-clock.js'), w: 3, h: 4, least: { w: 2, h: 2 }, settings: ['seconds', 'utc'] }
};

/** What a widget is called: its title, else what it shows. */
export function titleOf(widget, t) {
	const { title, measure } = widget.settings;
	return title || t(widget.type === 'chart' && CHARTS[measure] ? CHARTS[measure].title : WIDGETS[widget.type].title);
}

/** Whether the bar of the period is about this widget. */
export function followsPeriod(widget) {
	return WIDGETS[widget.type].period === true && !widget.settings.range;
}

/** The layout of who has saved none: charts side by side as there is room for. */
export function builtIn(width) {
	const beside = width >= 2400 ? 4 : width >= 1700 ? 3 : 2;
	const { h } = WIDGETS.chart, cards = WIDGETS.cards.h;
	const charts = Object.keys(CHARTS).filter(measure => measure !== 'quality');
	const widgets = [{ id: 'cards', type: 'cards', x: 0, y: 0, w: COLUMNS, h: cards, settings: {} }];
	charts.forEach((measure, at) => widgets.push({
		id: measure, type: 'chart', x: at % beside * COLUMNS / beside, y: cards + Math.floor(at / beside) * h, w: COLUMNS / beside, h, settings: { measure }
	}));
	const y = cards + Math.ceil(charts.length / beside) * h;
	widgets.push({ id: 'timelines', type: 'timelines', x: 0, y, w: COLUMNS, h: WIDGETS.timelines.h, settings: {} });
	widgets.push({ id: 'events', type: 'events', x: 0, y: y + WIDGETS.timelines.h, w: COLUMNS, h: WIDGETS.events.h, settings: {} });
	return { version: VERSION, title: '', pages: [{ title: '', widgets }], wall: { rotate_s: 30, dim_from: '', dim_to: '' } };
}

/** A layout as the pages can show it, of one that the service has checked: nothing over another thing. */
export function usable(layout) {
	return {
		...layout,
		pages: layout.pages.map(page => ({
			...page,
			widgets: arranged(page.widgets.filter(one => one.type in WIDGETS).map(one => within({ settings: {}, ...one }, WIDGETS[one.type].least)))
		}))
	};
}
