"""A faithful SAP Business One Service Layer (contracts: SAP §11)."""
