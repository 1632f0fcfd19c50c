/** The alerts that fire, the worst first, with since when and how bad. */

import { SEVERITIES, severityNode, valueText } from './alert-words.js';
import { el, fill } from './dom.js';
import { duration, epoch } from './format.js';
import { panel } from './widget-panel.js';

const SOON_MS = 500;
const ORDER = Object.keys(SEVERITIES);

export function make(board, settings, title) {
	const { t, request, links } = board.options, address = links.page?.('alerts'), frame = panel(title), list = el('ul.remsim-rows');
	let known = null, timer = null, told = null;
	fill(frame.body, list);

	const show = () => {
		const now = board.store.now();
		fill(list, known.length ? known.map(alert => el('li', {},
			severityNode(alert.severity, t), el('span', {}, alert.summary || alert.label || alert.rule),
			el('span.remsim-absent', {}, [alert.modem, alert.fired_at ? t('since %s', duration(now - epoch(alert.fired_at))) : '', alert.value === null ? '' : valueText(alert.value, alert.unit, t),
				alert.silenced_by ? t('silenced') : alert.acknowledged_by ? t('acknowledged') : ''].filter(Boolean).join(' · '))))
			: el('li.remsim-absent', {}, t('No alert is firing.')),
		address ? el('li', {}, el('a', { href: address }, t('All alerts and rules'))) : null);
	};
	const load = async () => {
		try {
			const answer = await board.queued(() => request('alerts'));
			known = answer.alerts.filter(alert => alert.state === 'firing').sort((a, b) => ORDER.indexOf(b.severity) - ORDER.indexOf(a.severity));
			show();
		} catch (error) {
			fill(list, el('li.remsim-problem', {}, error.message));
		}
	};
	const soon = () => {
		clearTimeout(timer);
		timer = setTimeout(load, SOON_MS);
	};
	// The router says how many fire with each state, and at once on the stream: another number is asked after.
	const stop = [board.store.on('alert', soon), board.store.on('state', state => {
		const count = JSON.stringify(state.alerts ?? null);
		if (told !== null && count !== told)
			soon();
		told = count;
	})];
	return {
		root: frame.root, load,
		destroy() {
			clearTimeout(timer);
			stop.forEach(end => end());
		}
	};
}
