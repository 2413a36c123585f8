class ClaimError(Exception):
    """The claim cannot be scored."""


class EmptyClaim(ClaimError):
    def __init__(self, claim_id):
        super().__init__(claim_id)
        self.claim_id = claim_id

    def __str__(self):
        return f"claim {self.claim_id} has no text"
