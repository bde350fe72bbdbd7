// The buyer's side of the sandbox: what Stripe.js does, with cards that are nobody's.
(() => {
  const { number, expiry, cvc } = form.elements;
  const { api, key, intents, intent, secret } = form.dataset;
  const fields = { number, exp_month: expiry, exp_year: expiry, cvc };

  async function call(path, values) {
    const reply = await fetch(api + path, {
      method: "POST",
      headers: { Authorization: "Bearer " + key },
      body: new URLSearchParams(values),
    });
    return reply.json();
  }

  function refused(error) {
    const field = fields[(error.param || "").replace(/^card\[(\w+)\]$/, "$1")];
    return error.type === "card_error" || field ? new Refusal(error.message, field || number) : error;
  }

  takePayment(async () => {
    const [month, year] = expiry.value.split("/").map(Number);
    const method = await call("/v1/payment_methods", {
      type: "card",
      "card[number]": number.value.replace(/\s/g, ""),
      "card[exp_month]": month,
      "card[exp_year]": year,
      "card[cvc]": cvc.value.trim(),
    });
    if (method.error) throw refused(method.error);
    const paid = await call(`/v1/${intents}/${encodeURIComponent(intent)}/confirm`, {
      payment_method: method.id,
      client_secret: secret,
      return_url: back,
    });
    if (paid.error && !isOver(paid.error)) throw refused(paid.error);
    const asked = paid.next_action && paid.next_action.redirect_to_url;
    location.assign(asked ? asked.url : back);
  });

  for (const card of form.querySelectorAll("button[data-number]")) {
    card.addEventListener("click", () => {
      number.value = card.dataset.number;
      form.querySelector("button[type=submit]").focus();
    });
  }
})();
