/** IonMesh: whether this router is registered there, what it was given, and what it has cards of. */

import { el, fill, setText } from './dom.js';
import { NONE, epoch, lasting, moment } from './format.js';
import { errorText } from './remote-data.js';
import { msg } from './words.js';

const STATES = {
	registered: [msg('Registered'), 'good'], registering: [msg('Registering'), 'muted'], refused: [msg('Refused'), 'problem'],
	unreachable: [msg('Does not answer'), 'problem'], off: [msg('Off'), 'muted']
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
		this.button = el('button', { type: 'button', hidden: !!options.readonly, click: () => this._register() }, t('Register again'));
		this.lists = LISTS.map(([path, key, word, columns]) => this._list(path, key, t(word), columns));
		this.unsupported = el('p.remsim-help', { hidden: true });
		this.root = el('section.remsim-panel', { 'aria-label': 'IonMesh', hidden: true }, el('header', {}, el('h2', {}, 'IonMesh'), this.button),
			this.state, this.message, this.error, this.facts, this.lists, this.unsupported);
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
		this.tick();
	}

	tick() {
		const { mesh } = this;
		if (!mesh)
			return;
		const { t, store } = this._ctx, now = store.now(), { assignment: given } = mesh, [word] = STATES[mesh.state] || [];
		setText(this.state, [word ? t(word) : mesh.state, mesh.since ? t('since %s', lasting(now - epoch(mesh.since))) : ''].filter(Boolean).join(', '));
		const facts = [
			given ? [t('Card'), Number.isFinite(given.bank_id) ? t('bank %s, slot %s', given.bank_id, given.slot_id) : NONE] : null,
			[t('Mapping mode'), given?.mapping_mode || mesh.mapping_mode || NONE],
			[t('Last heartbeat'), mesh.last_heartbeat_at ? moment(epoch(mesh.last_heartbeat_at), now) : NONE],
			mesh.cached ? [t('Known from'), t('an earlier answer')] : null
		].filter(Boolean), told = JSON.stringify(facts);
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
				const rows = (await request(path))[key] || [];
				fill(box, rows.length ? el('table.remsim-table', {}, el('thead', {}, el('tr', {}, columns.map(([, label]) => el('th', { scope: 'col' }, t(label))))),
					el('tbody', {}, rows.map(row => el('tr', {}, columns.map(([name]) => el('td', {}, row[name] ?? NONE)))))) : el('p.remsim-absent', {}, t('There are none.')));
			} catch (error) {
				fill(box, el('p.remsim-problem', {}, errorText(error)));
			}
		};
		const fold = el('details', { toggle: () => { if (fold.open) load(); } }, el('summary', {}, word), box);
		return fold;
	}

	async _register() {
		const { t, request, said, data } = this._ctx;
		this.error.hidden = true;
		this.button.disabled = true;
		try {
			await request('ionmesh/register', { method: 'POST' });
			said(t('IonMesh was asked.'));
			await data.load();
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, errorText(error));
		}
		this.button.disabled = false;
	}
}
