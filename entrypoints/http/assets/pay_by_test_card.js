"use strict";
// The buyer's side of the sandbox: what Stripe.js does, with cards that are nobody's.
(() => {
  const form = document.getElementById("pay");
  const refusal = document.getElementById("refusal");
  const button = form.querySelector("button[type=submit]");
  const words = button.textContent;
  const { api, key, intent, secret } = form.dataset;
  const back = new URL(location.pathname.replace(/\/$/, "") + "/return", location.href).href;

  async function call(path, fields) {
    const reply = await fetch(api + path, {
      method: "POST",
      headers: { Authorization: "Bearer " + key },
      body: new URLSearchParams(fields),
    });
    const answer = await reply.json();
    if (answer.error) throw Object.assign(new Error(answer.error.message), { told: true });
    return answer;
  }

  async function pay() {
    const [month, year] = form.elements.expiry.value.split("/").map((part) => part.trim());
    const method = await call("/v1/payment_methods", {
      type: "card",
      "card[number]": form.elements.number.value.replace(/\s/g, ""),
      "card[exp_month]": Number(month) || 0,
      "card[exp_year]": Number(year) || 0,
      "card[cvc]": form.elements.cvc.value.trim(),
    });
    const paid = await call("/v1/payment_intents/" + encodeURIComponent(intent) + "/confirm", {
      payment_method: method.id,
      client_secret: secret,
      return_url: back,
    });
    const asked = paid.next_action && paid.next_action.redirect_to_url;
    location.assign(asked ? asked.url : back);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    refusal.textContent = "";
    button.disabled = true;
    button.textContent = "Paying…";
    try {
      await pay();
    } catch (error) {
      refusal.textContent = error.told ? error.message : "The payment could not be sent. Please try again.";
      button.disabled = false;
      button.textContent = words;
      form.elements.number.focus();
    }
  });
  for (const card of form.querySelectorAll("button[data-number]")) {
    card.addEventListener("click", () => {
      form.elements.number.value = card.dataset.number;
      button.focus();
    });
  }
  form.hidden = false;
})();
