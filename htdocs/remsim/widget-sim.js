/** Which card is in which modem, and whether it works there. */

import { el, fill } from './dom.js';
import { STATE_WORDS, stateLook } from './words.js';
import { panel } from './widget-panel.js';

const OF_SIM = ['no_sim', 'sim_pin', 'sim_puk', 'sim_error', 'denied'];

export function make(board, settings, title) {
	const { t, links } = board.options, frame = panel(title), list = el('ul.remsim-rows');
	let shown = '';
	fill(frame.body, list);

	const row = modem => {
		const r = modem.reading || {};
		const card = modem.iccid ? `…${modem.iccid.slice(-4)}` : modem.sim || '';
		const isWrong = OF_SIM.includes(modem.state);
		return {
			id: modem.id, name: modem.name, look: stateLook(modem.state),
			state: t(STATE_WORDS[modem.state] || modem.state), isWrong,
			facts: [card, r.sim_slot ? t('slot %s', r.sim_slot) : '', r.operator || r.plmn || ''].filter(Boolean).join(' · '), problem: isWrong ? modem.problem : null
		};
	};

	const update = () => {
		const chosen = settings.modems || [], rows = board.store.list().filter(modem => !chosen.length || chosen.includes(modem.id)).map(row);
		const key = JSON.stringify(rows);
		if (key === shown)
			return; // a link that has the keyboard's place keeps it
		shown = key;
		fill(list, rows.map(one => el(`li.remsim-simrow-${one.look}`, {},
			el('strong', {}, links.modem ? el('a', { href: links.modem(one.id, 'sim') }, one.name) : one.name),
			el('span', {}, one.facts || t('no SIM known')), el('span.remsim-simstate', {}, one.state), one.problem ? el('p.remsim-problem', {}, one.problem) : null)),
		rows.length ? null : el('li.remsim-absent', {}, t('None of these modems is there.')));
	};
	return { root: frame.root, state: update, reading: update };
}
