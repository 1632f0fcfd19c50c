/** IonMesh: whether this router is registered there, what it was given, and what it has cards of. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { NONE, epoch, lasting, moment } from './format.js';
import { errorText } from './remote-data.js';
import { msg } from './words.js';

const STATES = {
	registered: [msg('Registered'), 'good'], registering: [msg('Registering'), 'muted'], refused: [msg('Refused'), 'problem'],
	unreachable: [msg('Does not answer'), 'problem'], released: [msg('Given up by hand'), 'muted'], off: [msg('Off'), 'muted']
};
const LISTS = [
	['ionmesh/sim-cards', 'cards', msg('SIM cards'), [['bank_id', msg('Bank')], ['slot_id', msg('Slot')], ['carrier', msg('Operator')], ['mcc_mnc', msg('MCC and MNC')], ['card_type', msg('Kind')], ['ki_pool_name', msg('Pool')]]],
	['ionmesh/pools', 'pools', msg('KI proxy pools'), [['pool_name', msg('Pool')], ['carrier', msg('Operator')], ['bank_id', msg('Bank')], ['slot_range', msg('Slots')], ['current_virtual_sims', msg('In use')], ['max_virtual_sims', msg('At most')]]]
];

export class IonMeshPanel {
	/** `ctx` as for ClientCard. */
	constructor(ctx) {
		const { t, options } = ctx;
		this._ctx = ctx;
		this.state = el('p.remsim-state');
		this.message = el('p');
		this.facts = el('dl.remsim-facts');
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.button = el('button', { type: 'button', hidden: !!options.readonly, click: () => this._post('register') }, t('Register again'));
		this.clients = el('ul.remsim-plainlist');
		this.lists = LISTS.map(([path, key, word, columns]) => this._list(path, key, t(word), columns));
		this.unsupported = el('p.remsim-help', { hidden: true });
		this.root = el('section.remsim-panel', { 'aria-label': 'IonMesh', hidden: true }, el('header', {}, el('h2', {}, 'IonMesh'), this.button),
			this.state, this.message, this.error, this.facts, this.clients, this.lists, this.unsupported);
	}

	update(mesh) {
		const { t } = this._ctx;
		this.mesh = mesh;
		this.root.hidden = !mesh;
		if (!mesh)
			return;
		const [, look] = STATES[mesh.state] || [null, 'muted'];
		this.state.className = `remsim-state remsim-${look}`;
		setText(this.message, mesh.message || '');
		this.message.hidden = !mesh.message;
		this.unsupported.hidden = !mesh.unsupported?.length;
		setText(this.unsupported, mesh.unsupported?.length ? t('Not offered, as the orchestrator documents no way to it: %s.', mesh.unsupported.join(', ')) : '');
		this._each(mesh.clients || []);
		this.tick();
	}

	/** What each client of this router was given. */
	_each(clients) {
		const { t, options } = this._ctx, told = JSON.stringify(clients.map(one => [one.name, one.client_id, one.state, one.message, one.assignment, one.cached, one.commands_ignored]));
		if (told === this._clientsTold || this.clients.contains(document.activeElement))
			return;
		this._clientsTold = told;
		fill(this.clients, clients.map(one => {
			const [word, look] = STATES[one.state] || [null, 'muted'], given = one.assignment;
			const facts = [given ? t('has bank %s, slot %s', given.bank_id, given.slot_id) : null, one.cached ? t('known from an earlier answer') : null, one.message, one.commands_ignored ? t('%s unknown commands of the orchestrator were not run', one.commands_ignored) : null];
			return el('li.remsim-entry', {}, el('strong', {}, one.name || one.client_id), el(`span.remsim-${look}`, {}, word ? t(word) : one.state),
				one.state === 'registered' && !options.readonly ? el('button.remsim-small', { type: 'button', 'aria-label': t('Give up: %s', one.name), click: () => this._release(one.name) }, t('Give up')) : null,
				el('span.remsim-entry-more', {}, facts.filter(Boolean).join(' · ')));
		}));
	}

	async _release(name) {
		const { t, root } = this._ctx;
		if (await ask(root, { title: t('Give up what %s has?', name), texts: [t('Its modem loses the card once IonMesh takes the slot map away. It stays so until it is registered again.')], yes: t('Give up'), t }))
			await this._post('unregister', name);
	}

	tick() {
		const { mesh } = this;
		if (!mesh)
			return;
		const { t, store } = this._ctx, now = store.now(), [word] = STATES[mesh.state] || [];
		setText(this.state, [word ? t(word) : mesh.state, mesh.since ? t('since %s', lasting(now - epoch(mesh.since))) : ''].filter(Boolean).join(', '));
		const facts = [[t('Address'), mesh.url || NONE], [t('Mapping mode'), mesh.mapping_mode || NONE], [t('Tenant'), mesh.tenant_id ?? NONE],
			[t('Last heartbeat'), mesh.last_heartbeat_at ? moment(epoch(mesh.last_heartbeat_at), now) : NONE]], told = JSON.stringify(facts);
		if (told !== this._told)
			fill(this.facts, facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
		this._told = told;
	}

	/** A list that is asked for when it is opened. */
	_list(path, key, word, columns) {
		const { t, request } = this._ctx, box = el('div.remsim-tablebox', { tabindex: '0', role: 'group', 'aria-label': word });
		const load = async () => {
			fill(box, el('p.remsim-muted', {}, t('Looking …')));
			try {
				const answer = await request(path), rows = answer[key] || [];
				fill(box, answer.cached ? el('p.remsim-problem', {}, t('As last known: %s', answer.problem || '')) : null, rows.length ? el('table.remsim-table', {}, el('thead', {}, el('tr', {}, columns.map(([, label]) => el('th', { scope: 'col' }, t(label))))),
					el('tbody', {}, rows.map(row => el('tr', {}, columns.map(([name]) => el('td', {}, row[name] ?? NONE)))))) : el('p.remsim-absent', {}, t('There are none.')));
			} catch (error) {
				fill(box, el('p.remsim-problem', {}, errorText(error)));
			}
		};
		const fold = el('details', { toggle: () => { if (fold.open) load(); } }, el('summary', {}, word), box);
		return fold;
	}

	async _post(what, client) {
		const { t, request, said, data } = this._ctx;
		this.error.hidden = true;
		this.button.disabled = true;
		try {
			await request(`ionmesh/${what}`, { method: 'POST', body: client ? { client } : {} });
			said(t('IonMesh was asked.'));
			await data.load();
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, errorText(error));
		}
		this.button.disabled = false;
	}
}
