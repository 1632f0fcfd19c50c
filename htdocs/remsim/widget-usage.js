/** What each SIM has carried today and this month, by days of UTC as the router counts them. */

import { el, fill } from './dom.js';
import { bytes } from './format.js';
import { panel } from './widget-panel.js';

const AGAIN_S = 900;

const dayOf = epochS => new Date(epochS * 1000).toISOString().slice(0, 10);

export function make(board, settings, title) {
	const { t, request } = board.options, frame = panel(title);
	let askedAt = 0, askedDay = null;

	const show = (rows, today) => {
		const sims = new Map();
		for (const row of rows) {
			const sum = sims.get(row.sim) || { today: 0, month: 0, modems: new Set() };
			const amount = row.rx_bytes + row.tx_bytes;
			sum.month += amount;
			sum.today += row.day === today ? amount : 0;
			sum.modems.add(row.modem);
			sims.set(row.sim, sum);
		}
		const name = id => board.store.modems.get(id)?.name || id;
		const body = [...sims].sort((a, b) => b[1].month - a[1].month).map(([sim, sum]) => el('tr', {},
			el('th', { scope: 'row' }, sim || t('unknown SIM'), el('span.remsim-absent', {}, ` ${[...sum.modems].map(name).join(', ')}`)),
			el('td', {}, bytes(sum.today)), el('td', {}, bytes(sum.month))));
		fill(frame.body, body.length ? el('table.remsim-amounts', {},
			el('thead', {}, el('tr', {}, el('th', { scope: 'col' }, t('SIM')), el('th', { scope: 'col' }, t('Today')), el('th', { scope: 'col' }, t('This month')))),
			el('tbody', {}, body)) : el('p.remsim-absent', {}, t('Nothing was carried this month.')));
	};

	const load = async () => {
		const today = dayOf(board.store.now()), chosen = settings.modems || [];
		askedAt = Date.now() / 1000;
		askedDay = today;
		try {
			const answer = await board.queued(() => request('usage', { query: { from: `${today.slice(0, 8)}01`, to: today } }));
			show(answer.usage.filter(row => !chosen.length || chosen.includes(row.modem)), today);
		} catch (error) {
			if (!frame.body.querySelector('table')) // else what was known stays
				fill(frame.body, el('p.remsim-problem', {}, error.message));
		}
	};

	return {
		root: frame.root, load,
		tick() {
			if (askedDay && board.isLinked && (Date.now() / 1000 - askedAt > AGAIN_S || dayOf(board.store.now()) !== askedDay))
				load();
		}
	};
}
