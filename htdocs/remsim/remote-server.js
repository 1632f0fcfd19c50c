/** One remsim-server: whether it answers, its banks, and a test of the connection. */

import { el, fill, setText } from './dom.js';
import { epoch, lasting, moment } from './format.js';
import { ConnectionTest } from './remote-test.js';

export class ServerPanel {
	/** `ctx` as for ClientCard. */
	constructor(ctx) {
		this._ctx = ctx;
		this.title = el('h3');
		this.state = el('p.remsim-state');
		this.problem = el('p.remsim-problem', { hidden: true });
		this.restarted = el('p.remsim-help', { hidden: true });
		this.banks = el('ul.remsim-plainlist');
		this.test = new ConnectionTest(ctx, () => ({ server: this.server.name }));
		this.root = el('article.remsim-panel', {}, el('header', {}, this.title, this.test.button), this.state, this.problem, this.restarted, this.test.checks, this.banks);
	}

	update(server) {
		const { t, data, store } = this._ctx, now = store.now();
		this.server = server;
		this.root.setAttribute('aria-label', t('Server %s', server.name || server.url));
		setText(this.title, server.name || server.url || t('Server'));
		this.tick();
		setText(this.problem, [server.problem, server.hint].filter(Boolean).join(' – '));
		this.problem.hidden = !server.problem;
		this.restarted.hidden = !server.restarted_at;
		setText(this.restarted, server.restarted_at ? t('It began anew at %s, without its slot maps.', moment(epoch(server.restarted_at), now, false)) : '');
		const banks = data.banks.filter(bank => !bank.server || bank.server === server.name);
		const rows = banks.map(bank => {
			const used = data.maps.filter(map => map.bank_id === bank.bank_id && (!map.server || map.server === server.name)).length;
			return [bank.connected, t('Bank %s', bank.bank_id), bank.connected ? t('connected') : t('not connected'), [bank.name, [bank.software, bank.version].filter(Boolean).join(' ')].filter(Boolean).join(' · '), t('%s of %s slots mapped', used, bank.slots ?? '?')];
		});
		const told = JSON.stringify([rows, server.reachable]);
		if (told === this._told)
			return;
		this._told = told;
		fill(this.banks, rows.map(([isUp, name, word, who, used]) => el('li.remsim-entry', {}, el('strong', {}, name), el('span', { class: isUp ? 'remsim-good' : 'remsim-problem' }, `${isUp ? '●' : '✕'} ${word}`), el('span.remsim-entry-more', {}, [who, used].filter(Boolean).join(' · ')))),
			rows.length ? null : el('li.remsim-absent', {}, server.reachable ? t('No bank is connected to it. A bankd needs its address.') : t('Its banks are not known.')));
	}

	tick() {
		const { t, store } = this._ctx, { server } = this, since = server.since ? t('since %s', lasting(store.now() - epoch(server.since))) : '';
		const word = server.reachable === true ? t('Answers') : server.reachable === false ? t('Does not answer') : t('Not asked yet');
		setText(this.state, [word, since].filter(Boolean).join(', '));
		this.state.className = `remsim-state${server.reachable === false ? ' remsim-problem' : server.reachable ? ' remsim-good' : ''}`;
	}
}
