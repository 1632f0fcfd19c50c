/** The settings of the client's own package, /etc/config/remsim: what of it works here, and taking it over. */

import { ask } from './ask.js';
import { el, fill, setText } from './dom.js';
import { errorText } from './remote-data.js';

export class ClientFilePanel {
	/** `ctx` as for ClientCard; `taken()` is called when a client was made of it. */
	constructor(ctx, taken) {
		const { t, options } = ctx;
		Object.assign(this, { _ctx: ctx, _taken: taken });
		this.state = el('p');
		this.faults = el('ul.remsim-plainlist');
		this.dead = el('details', {}, el('summary', {}, t('Options without effect')), this.deadList = el('ul.remsim-plainlist'));
		this.error = el('p.remsim-problem', { role: 'alert', hidden: true });
		this.button = options.readonly ? null : el('button.remsim-primary', { type: 'button', click: () => this._take() }, t('Take it over'));
		this.root = el('section.remsim-panel', { 'aria-label': t('The client package’s own settings'), hidden: true }, el('h2', {}, t('The client package’s own settings')),
			el('p.remsim-help', {}, '/etc/config/remsim'), this.state, this.faults, this.dead, this.error, el('div.remsim-submit', {}, this.button));
	}

	async load() {
		const file = await this._ctx.request('remote-sim/client-file').catch(() => ({ present: false })), { t } = this._ctx;
		this.file = file;
		this.root.hidden = !file.present;
		if (!file.present)
			return;
		const isFatal = file.faults.some(fault => fault.fatal);
		setText(this.state, [file.runs ? t('The package’s own service runs client %s.', file.client_slot) : t('It is set up for client %s, which the package’s own service does not run.', file.client_slot), file.here ? t('%s of this router is the same client: only one of them can run.', file.here) : ''].filter(Boolean).join(' '));
		fill(this.faults, file.faults.map(fault => el('li.remsim-entry', {}, el('code', {}, fault.option), el(fault.fatal ? 'span.remsim-problem' : 'span', {}, fault.message), fault.hint ? el('span.remsim-entry-more', {}, fault.hint) : null)));
		this.dead.hidden = !file.dead.length;
		fill(this.deadList, file.dead.map(one => el('li.remsim-entry', {}, el('code', {}, `${one.option} = ${one.value}`), el('span.remsim-entry-more', {}, one.why))));
		if (this.button)
			this.button.hidden = !!file.here || isFatal;
	}

	async _take() {
		const { t, root, request, said } = this._ctx, { runs } = this.file;
		if (!await ask(root, { title: t('Take the package’s client over?'), yes: t('Take it over'), t, danger: runs, texts: [runs ? t('The package’s own service ends, and the client is started again by this router: its modem is reset once.') : t('It becomes a client of this router.'), t('The file itself stays, but for its switch to start.')] }))
			return;
		this.error.hidden = true;
		try {
			const { name } = await request('remote-sim/client-file/import', { method: 'POST', body: {} });
			said(t('%s is a client of this router now. Choose its modem.', name));
			await this._taken();
		} catch (error) {
			this.error.hidden = false;
			setText(this.error, errorText(error));
		}
	}
}
