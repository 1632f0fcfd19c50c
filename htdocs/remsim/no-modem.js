/** No modem was found: what was looked for, what hangs on the bus, what to do, and a text for a report. */

import { CopyBox } from './copy.js';
import { el, fill } from './dom.js';
import { VENDOR_WORDS } from './words.js';

export class NoModem {
	/** `again()` looks for modems once more. */
	constructor(options, again) {
		const t = options.t;
		this._options = options;
		this.advice = el('div', {}, t('Check cable and power. On OpenWrt install kmod-usb-serial-option and kmod-usb-net-qmi-wwan. A modem shows up here within two seconds of being plugged in.'));
		this.looked = el('div', {}, t('Looked for Quectel, Sierra Wireless, Fibocom and Thales modems on USB and PCI Express.'));
		this.found = el('div');
		this.copy = new CopyBox(t, t('Text for a report'));
		this.report = el('section', { hidden: true }, el('h4', {}, t('A text for a report')), el('p.remsim-help', {}, t('Serial numbers and identities are masked.')), this.copy.root);
		this.root = el('section.remsim-nothing', { hidden: true, 'aria-label': t('No modem') }, el('h3', {}, t('No modem was found.')), this.looked, this.advice, this.found, this.report,
			el('div.remsim-submit', {}, el('button', { type: 'button', click: () => { again(); this._ask(); } }, t('Look again'))));
	}

	show(isShown) {
		if (isShown && this.root.hidden)
			this._ask();
		this.root.hidden = !isShown;
	}

	async _ask() {
		const t = this._options.t;
		let found;
		try {
			found = await this._options.request('detection');
		} catch (error) {
			fill(this.found, el('p.remsim-absent', {}, t('What is on the bus could not be read: %s', error.message)));
			return;
		}
		const sought = found.looked_for.map(one => `${VENDOR_WORDS[one.vendor] || one.vendor} (${one.modules.join(', ')})`);
		fill(this.looked, el('details', {}, el('summary', {}, t('What was looked for')), el('ul', {}, sought.map(one => el('li', {}, one)))));
		if (found.hints.length)
			fill(this.advice, el('ul', {}, found.hints.map(hint => el('li', {}, hint))));
		const devices = [...found.usb.filter(device => device.kind !== 'hub'), ...found.pci];
		fill(this.found, el('h4', {}, t('What is on USB and PCI Express')), devices.length
			? el('ul.remsim-devices', {}, devices.map(device => el('li', {}, el('b', {}, [device.manufacturer, device.product || device.module].filter(Boolean).join(' ') || t('no name')), ' ',
				el('span.remsim-mono', {}, device.usb_id || device.pci_id), ` · ${device.usb_path || device.place} · ${(device.kind || device.driver || '').replaceAll('_', ' ')}`, device.note ? el('p.remsim-help', {}, device.note) : null)))
			: el('p.remsim-absent', {}, t('Nothing is there but hubs: no device is plugged in, or it has no power.')));
		this.report.hidden = !found.text;
		this.copy.show(found.text || '');
	}
}
